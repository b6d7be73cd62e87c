import { existsSync } from 'node:fs'
import { parsePostgresUrl, parseSqliteSource, readAuthority } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { LiveFile } from '../../source/sqlite/live/live-file.ts'
import { walResetBug } from '../../source/sqlite/live/capture-problems.ts'
import { liveSource } from '../../source/sqlite/live/live-snapshot.ts'
import { sqliteSource } from '../../source/sqlite/snapshot.ts'
import { liveFingerprint } from '../../ledger/record.ts'
import { compare } from '../../steps/compare.ts'
import { copy } from '../../steps/copy.ts'
import { beginFollowing } from '../../steps/live/begin-following.ts'
import { captureChanges, copyPath } from '../../steps/live/capture-changes.ts'
import { checkLive } from '../../steps/live/check-live.ts'
import type { GraduateRequest } from '../../steps/live/graduate-request.ts'
import { openFile } from '../../steps/live/open-file.ts'
import { claimTarget } from '../../steps/open-target.ts'
import { plan } from '../../steps/plan.ts'
import { prepare } from '../../steps/prepare.ts'
import { resolve } from '../../steps/resolve.ts'
import { stage } from '../../steps/stage.ts'
import { takeSnapshot } from '../../steps/take-snapshot.ts'
import { newRunId } from '../../target/postgres/stage.ts'
import { runFlow, type Flow } from '../run-flow.ts'
import type { MoveResult } from '../offline.ts'

/** The offline move up to its digests, from a copy of a file whose changes are captured meanwhile. */
const flow: Flow<GraduateRequest> = {
  steps: [
    openFile,
    takeSnapshot,
    prepare,
    claimTarget,
    stage,
    plan,
    checkLive,
    captureChanges,
    copy,
    resolve,
    compare,
    beginFollowing,
  ],
  onFindings: 'stop',
}

export type ReachRequest = Omit<
  GraduateRequest,
  'source' | 'target' | 'unfinished' | 'graduation' | 'path'
> & {
  from: string
  to: string
}

/** What was copied, and is followed from now on. */
export type Reached = Pick<MoveResult, 'tables' | 'findings' | 'fixes' | 'steps' | 'notes'>

/**
 * Goes on until the target follows: from the beginning, or from where an earlier attempt was stopped.
 * @throws StoppedByFindings, Failure as a move does; OUTGROW_LIVE_REFUSED
 */
export function reachFollowing({ from, to, ...request }: ReachRequest): Promise<Reached> {
  const { path } = parseSqliteSource(from)
  const known = nameIn(path)
  const graduation = known ?? newRunId()
  const hasCopy = existsSync(copyPath({ folder: request.folder, graduation }))
  return runFlow(
    flow,
    {
      ...request,
      path,
      graduation,
      source: liveSource(sqliteSource(path), liveFingerprint(graduation)),
      target: parsePostgresUrl(to),
      // What was loaded from a copy that is gone is of no use.
      unfinished: known === undefined ? 'refuse' : hasCopy ? 'resume' : 'restart',
    },
    ({ run, findings, fixes, steps }) => ({
      tables: run.of(compare),
      findings,
      fixes,
      steps,
      notes: [
        walResetBug,
        ...run.of(plan).notes,
        ...run.of(stage).staging.carried.notes,
        ...run.of(takeSnapshot).readerNotes(run.of(plan).tables),
      ],
    }),
  )
}

/** Name of the graduation that was begun on the file and has not come so far yet. */
function nameIn(path: string): string | undefined {
  using file = new LiveFile(path)
  const authority = readAuthority(file.reader)
  if (authority === undefined) return undefined
  if (authority.state === 'capturing' || authority.state === 'copying') return authority.graduation
  throw new Failure({
    code: 'OUTGROW_RUN_ACTIVE',
    message: `The file is in the state ${authority.state} of its graduation.`,
    fix: 'Run outgrow graduate status.',
  })
}
