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
   * tried again when the next backup is due, and what could not be pruned is left to the next backup.
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
  | { is: 'backup'; manifest: Manifest }
  | { is: 'prune'; pruned: PruneResult }
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
        if (work.is === 'drill') onDone(await drill({ ...request, url }))
        else {
          onDone({ is: 'backup', manifest: await runBackup({ ...request, url }) })
          await prune(request)
        }
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

/** The backup before it is stored, whatever becomes of this. */
async function prune(request: ScheduleRequest): Promise<void> {
  const { signal, everyMs, onDone, onFailure } = request
  try {
    onDone({ is: 'prune', pruned: await runPrune({ ...request, dryRun: false }) })
  } catch (error) {
    signal.throwIfAborted()
    const failure = expectedFailure(error)
    if (!(failure instanceof Failure)) throw error
    onFailure(failure, everyMs, 'prune')
  }
}

async function drill(request: AtUrl): Promise<ScheduledWork> {
  return { is: 'drill', drill: await runDrill({ ...request, id: undefined, which: whichOf(request.url) }) }
}

/** The backups that it makes: others may be beside them. */
function whichOf(url: string): Which {
  return { provider: kindOf(url), withoutBase: true }
}
