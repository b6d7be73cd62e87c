import { join } from 'node:path'
import { notesFor, requireDirect, stateDirectory, withPostgres } from '@outgrow/databases'
import { exit } from '@outgrow/kit'
import { migrate, MoveStopped, type MigrateRequest, type MoveResult } from '../flows/offline.ts'
import type { JournalWriter } from '../journal.ts'
import { writeQuarantineFile } from '../ledger/quarantine-file.ts'
import { findRuns } from '../ledger/runs.ts'
import type { Progress } from '../model/progress.ts'
import type { Report } from '../model/report.ts'
import { switchOver, type SwitchRequest, type Switching } from '../switch/switch-over.ts'
import { dropTrialDatabase } from '../trial/trial-databases.ts'
import type { MoveTarget } from './choose-target.ts'
import { judgeMove, type Judgement } from './judge-move.ts'
import type { RunSettings } from './run-settings.ts'
import { sizeOf } from './size-of.ts'
import { withJournal } from './with-journal.ts'

export interface MoveRun
  extends
    RunSettings,
    Pick<MigrateRequest, 'rendered' | 'reader' | 'writesHistory' | 'unfinished' | 'verifies'> {
  command: 'migrate' | 'import'
  target: MoveTarget
  /** Rows that were set aside do not prevent the switch. */
  acceptQuarantine: boolean
  switch?: SwitchRequest | undefined
}

/** A move whose sides were compared. */
export interface Moved extends MoveResult, Judgement {
  ms: number
}

/** Called with each event of a move when it happens. */
export interface MoveListener {
  /** Something to know about the target, in words, before anything is done. */
  onNote(text: string): void
  onStep(title: string, at: number, of: number): void
  progress: Progress
  /** Bad values ended it; the target is as it was. */
  onStopped(report: Report): void
  onCompared(moved: Moved): void
  /** @param file path of the rows that were set aside */
  onQuarantined(file: string): void
  onSwitch(switching: Switching): void
}

/**
 * Moves into the target, with a journal; writes what was set aside into a file, and switches where that was asked for and
 * nothing speaks against it.
 * @throws Failure as `migrate` does
 */
export async function runMove(request: MoveRun, listener: MoveListener): Promise<Report> {
  const { command, from, target, workDir, signal } = request
  requireDirect(target.url, 'move')
  const about = notesFor(target.url, 'migrate', sizeOf(from)).map(({ text }) => text)
  for (const note of about) listener.onNote(note)
  const { report } = await withJournal(
    { workDir, command, from, to: target.url, signal },
    async (journal) => {
      try {
        return { report: await fill(request, listener, journal) }
      } finally {
        // What the move says counts: a server that is gone by now is named there, and `outgrow postgres list` shows the rest.
        await dropUntouched(workDir, target).catch(() => {})
      }
    },
  )
  return { ...report, notes: [...about, ...report.notes] }
}

/** A database that was made for a move, and into which nothing came, is of no use. */
async function dropUntouched(workDir: string, { url, made }: MoveTarget): Promise<void> {
  if (made === undefined) return
  const runs = await withPostgres(url, findRuns)
  if (runs.length === 0) await dropTrialDatabase(workDir, made)
}

async function fill(
  request: MoveRun,
  listener: MoveListener,
  journal: JournalWriter | undefined,
): Promise<Report> {
  const { command, target, workDir } = request
  const started = performance.now()
  let result: MoveResult
  try {
    result = await migrate(withListeners(request, listener, journal))
  } catch (error) {
    if (!(error instanceof MoveStopped)) throw error
    const stopped = stoppedReport(command, error.result)
    listener.onStopped(stopped)
    return stopped
  }
  const judgement = judgeMove(result, request)
  listener.onCompared({ ...result, ...judgement, ms: performance.now() - started })
  if (judgement.isQuarantined) {
    const file = join(stateDirectory(workDir), `quarantine-${result.run}.ndjson`)
    await writeQuarantineFile(target.url, file)
    listener.onQuarantined(file)
  }
  listener.onSwitch(
    switchOver(request.switch, {
      maySwitch: judgement.maySwitch,
      // What was accepted already is not in the way.
      isQuarantined: judgement.isQuarantined && !request.acceptQuarantine,
      advanced: result.advanced,
      to: target.url,
    }),
  )
  const { tables, fixes, steps, notes } = result
  const { exitCode, findings } = judgement
  return { command, ok: true, exitCode, tables, findings, fixes, steps, notes, error: null }
}

function withListeners(
  { target, readSchema, ...request }: MoveRun,
  listener: MoveListener,
  journal: JournalWriter | undefined,
): MigrateRequest {
  return {
    from: request.from,
    to: target.url,
    rendered: request.rendered,
    reader: request.reader,
    schema: readSchema(),
    options: request.options,
    writesHistory: request.writesHistory,
    unfinished: request.unfinished,
    verifies: request.verifies,
    signal: request.signal,
    onStep: (title, at, of) => {
      listener.onStep(title, at, of)
      journal?.step(title, at, of)
    },
    progress: (event) => {
      listener.progress(event)
      journal?.progress(event)
    },
  }
}

function stoppedReport(command: string, { tables, findings, fixes, steps, notes }: MoveResult): Report {
  const values = findings.reduce((sum, finding) => sum + finding.count, 0)
  const error = {
    code: 'OUTGROW_BAD_VALUES',
    message: `${values.toLocaleString('en-US')} values cannot be moved as they are. The target is unchanged.`,
    why: 'No value is changed or dropped silently.',
    fix: 'Correct the source, name the rules that apply with --fix, or quarantine the rows with --on-bad-value quarantine.',
  }
  return { command, ok: false, exitCode: exit.expected, tables, findings, fixes, steps, notes, error }
}
