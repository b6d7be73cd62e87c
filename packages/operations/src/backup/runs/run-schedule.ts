import { setTimeout as sleep } from 'node:timers/promises'
import { expectedFailure, Failure } from '@outgrow/kit'
import { backupStates } from '../catalog/backup-states.ts'
import type { PrunePolicy } from '../catalog/plan-prune.ts'
import type { Which } from '../catalog/which.ts'
import type { Drill } from '../model/drill.ts'
import type { Manifest } from '../model/manifest.ts'
import { drillRetryMs, nextWork, nothingTried, type Schedule, type Tried, type Work } from './next-work.ts'
import { kindOf } from '../providers.ts'
import { runBackup, type BackupRequest } from './run-backup.ts'
import { runDrill } from './run-drill.ts'
import { runPrune, type PruneResult } from './run-prune.ts'

export interface ScheduleRequest extends Omit<BackupRequest, 'url'>, Schedule, PrunePolicy {
  /** URL of the database, asked for each time: it moves where a file graduates meanwhile. */
  database: () => Promise<string>
  /**
   * Before the first attempt after a failure; twice as long before each that follows, up to 15 minutes. A drill that failed is
   * tried again when the next backup is due.
   */
  firstRetryMs?: number
  /** A Postgres on whose server a drill's scratch database may be made. */
  server: string | undefined
  onDone: (done: ScheduledWork) => void
  /** The next attempt follows by itself. */
  onFailure: (failure: Failure, retryMs: number, of: ScheduledWork['is']) => void
}

type Due = Schedule & Pick<ScheduleRequest, 'database' | 'storage'>

export type ScheduledWork =
  | { is: 'backup'; manifest: Manifest; pruned: PruneResult }
  | { is: 'drill'; drill: Drill }

/** Somebody else may make a backup, or remove one. */
const longestWaitMs = 3_600_000
const longestRetryMs = 900_000

/** Makes backups, prunes them and tries them when they are due, until the signal aborts: then its reason is thrown. */
export async function runSchedule(request: ScheduleRequest): Promise<never> {
  const { storage, signal, firstRetryMs = 60_000, onDone, onFailure } = request
  let retryMs = firstRetryMs
  let last: Tried['last']
  let drilledAtMs = -Infinity
  for (;;) {
    signal.throwIfAborted()
    let work: Work | undefined
    try {
      await storage.prepare()
      const tried = { last, drillAgoMs: performance.now() - drilledAtMs }
      const url = await request.database()
      work = nextWork(await backupStates(storage, { ...whichOf(url), signal }), request, tried)
      if (work.is === 'wait') await sleep(Math.min(work.ms, longestWaitMs), undefined, { signal })
      else {
        last = work.is
        if (work.is === 'drill') drilledAtMs = performance.now()
        onDone(work.is === 'backup' ? await backUp({ ...request, url }) : await drill({ ...request, url }))
      }
      retryMs = firstRetryMs
    } catch (error) {
      signal.throwIfAborted()
      const failure = expectedFailure(error)
      if (!(failure instanceof Failure)) throw error
      if (work?.is === 'drill') {
        onFailure(failure, drillRetryMs(request), 'drill') // no backup waits for it
        continue
      }
      onFailure(failure, retryMs, 'backup')
      await sleep(retryMs, undefined, { signal })
      retryMs = Math.min(2 * retryMs, longestRetryMs)
    }
  }
}

/** What a schedule would do now. @throws Failure OUTGROW_STORAGE_UNAVAILABLE, OUTGROW_STORAGE_DENIED, OUTGROW_URL_INVALID */
export async function dueWork(request: Due, signal: AbortSignal): Promise<Work> {
  const states = await backupStates(request.storage, { ...whichOf(await request.database()), signal })
  return nextWork(states, request, nothingTried)
}

type AtUrl = ScheduleRequest & Pick<BackupRequest, 'url'>

async function backUp(request: AtUrl): Promise<ScheduledWork> {
  const manifest = await runBackup(request)
  return { is: 'backup', manifest, pruned: await runPrune({ ...request, dryRun: false }) }
}

async function drill(request: AtUrl): Promise<ScheduledWork> {
  return { is: 'drill', drill: await runDrill({ ...request, id: undefined, which: whichOf(request.url) }) }
}

/** The backups that it makes: others may be beside them. */
function whichOf(url: string): Which {
  return { provider: kindOf(url), withoutBase: true }
}
