import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import {
  notesFor,
  openSqliteReadonly,
  readAuthority,
  requireDirect,
  stateDirectory,
  type GraduationState,
} from '@outgrow/databases'
import { exit, Failure } from '@outgrow/kit'
import { cancelGraduation } from '../flows/live/cancel.ts'
import {
  cutOver,
  defaultBudgetMs,
  rehearse,
  settle,
  switchRoundTrips,
  type SwitchRequested,
} from '../flows/live/follow.ts'
import { openSession, type OpenedSession } from '../flows/live/open-session.ts'
import { reachFollowing, type Reached } from '../flows/live/reach-following.ts'
import { StoppedByFindings } from '../flows/run-flow.ts'
import type { JournalWriter } from '../journal.ts'
import type { Finding } from '../model/finding.ts'
import { defaultMaxLog } from '../model/graduate-options.ts'
import { storeOptions } from '../model/options.ts'
import type { Progress } from '../model/progress.ts'
import type { Held } from '../steps/live/hold.ts'
import { copyPath } from '../steps/live/capture-changes.ts'
import { finishSwitch, isUnfinished } from '../steps/live/finish-switch.ts'
import type { ReaderChoice } from '../source/sqlite/pages/page-reading.ts'
import { obstacles } from '../steps/live/obstacles.ts'
import { verifyLive, type LiveComparison } from '../steps/live/verify-live.ts'
import { answerRequests, beginsAgain, rehearsalMs } from './answer-requests.ts'
import { blankGraduation, pauseOf, type GraduationReport } from './graduation-report.ts'
import { rehearseFollowing } from './run-rehearse.ts'
import { runCommandLine, type CommandRun } from './run-command.ts'
import type { RunSettings } from './run-settings.ts'
import { sizeOf } from './size-of.ts'
import { withJournal } from './with-journal.ts'

/** Between two looks at a file to which nobody writes, and at one with a value that is to be corrected. */
const idleMs = 100
const blockedMs = 1000
/** How often it is recorded that nothing was left to apply. */
const lookMs = 2000

export interface GraduateRun extends RunSettings {
  to: string
  /** What reads the rows of the copy. */
  reader?: ReaderChoice | undefined
  /** When the switch is made: as soon as it can be, when it is told to, or at a time. */
  cutover: 'auto' | 'manual' | Date
  /** How long writes may be held; by default 100 ms and three round trips. */
  budgetMs?: number | undefined
  /** Writes are held for as long as it takes. */
  stopsWrites?: boolean
  leavesBehind?: boolean
  /** So many rehearsals, and then everything is taken back. */
  rehearsals?: number | undefined
  maxLog?: number | undefined
  writesHistory: boolean
  /** Runs after the switch, for an application that does not follow by itself. */
  onCutover?: { command: string; deadlineMs: number } | undefined
}

/** Called with each event of a graduation when it happens. */
export interface GraduateListener {
  onStep(title: string, at: number, of: number): void
  progress: Progress
  /** @param entries of the log that are not applied yet */
  onLag(entries: number): void
  onReached(reached: Reached): void
  onVerified(comparison: LiveComparison): void
  /** What it waits for, in words; told once for each. */
  onWaiting(reason: string): void
  onHeld(held: Held): void
  onSwitched(held: Held, findings: Finding[], notes: string[]): void
  onCommand(run: CommandRun): void
  /** Something else to know, in words. */
  onNote(text: string): void
  /** The connection is gone; it is made again. */
  onLost(reason: string): void
  /** The copy begins again, and why. */
  onAgain(reason: string): void
}

/**
 * Graduates a live file: copies it while it is written to, follows, compares, and switches when it is told to. It goes on
 * from wherever an earlier attempt was stopped.
 * @throws Failure for everything expected
 */
export async function runGraduate(
  request: GraduateRun,
  listener: GraduateListener,
): Promise<GraduationReport> {
  const { from, to, workDir, signal } = request
  requireDirect(to, 'move')
  const about = notesFor(to, 'graduate', sizeOf(from)).map(({ text }) => text)
  for (const note of about) listener.onNote(note)
  const { report } = await withJournal(
    { workDir, command: 'graduate', from, to, signal },
    async (journal) => ({
      report: await new Graduating(request, listener, journal).go(),
    }),
  )
  return { ...report, notes: [...about, ...report.notes] }
}

class Graduating {
  readonly #request: GraduateRun
  readonly #listener: GraduateListener
  readonly #journal: JournalWriter | undefined
  readonly #report = blankGraduation('graduate')
  readonly #folder: string
  #told = ''
  /** It has followed: a target that is away by now comes back. */
  #follows = false

  constructor(request: GraduateRun, listener: GraduateListener, journal: JournalWriter | undefined) {
    this.#request = request
    this.#listener = listener
    this.#journal = journal
    this.#folder = join(stateDirectory(request.workDir), 'graduations')
  }

  async go(): Promise<GraduationReport> {
    const { signal, rehearsals } = this.#request
    if (rehearsals !== undefined && this.#state() === 'following') return this.#rehearseOnly(rehearsals)
    for (;;) {
      try {
        const state = this.#state()
        if (state === 'switched') await this.#finish()
        if (state === 'completed') return this.#ended(state)
        // What was finished may have been a way back.
        if (state === 'switched' && this.#state() === 'switched') return this.#ended(state)
        if (this.#state() !== 'following') await this.#reach()
        await this.#follow()
        return this.#ended(this.#state())
      } catch (error) {
        if (signal.aborted || !(error instanceof Failure)) throw error
        if (beginsAgain(error)) {
          this.#listener.onAgain(error.message)
          await cancelGraduation({ ...this.#request, folder: this.#folder })
          continue
        }
        if (!this.#isLost(error)) throw error
        await this.#reconnect(error)
      }
    }
  }

  /**
   * The target went away while it followed. It may be gone for a while, or still have the session of before; or somebody
   * else follows meanwhile.
   */
  #isLost({ code }: Failure): boolean {
    if (this.#state() !== 'following') return false
    if (code === 'OUTGROW_POSTGRES_LOST') return true
    return this.#follows && (code === 'OUTGROW_POSTGRES_UNREACHABLE' || code === 'OUTGROW_RUN_ACTIVE')
  }

  /** Waits until the target answers again. */
  async #reconnect(lost: Failure): Promise<void> {
    if (this.#told !== lost.code) this.#listener.onLost(lost.message)
    this.#told = lost.code
    await sleep(blockedMs, undefined, { signal: this.#request.signal })
  }

  /** Does what an attempt that ended right after its switch has left undone. */
  async #finish(): Promise<void> {
    const { from, to, signal } = this.#request
    await using session = await openSession({ from, to, progress: this.#progress, signal })
    try {
      if (!isUnfinished(session)) return
      await this.#afterSwitch()
      const { findings, notes } = await finishSwitch(session)
      this.#report.findings.push(...findings)
      this.#report.notes.push(...notes)
    } catch (error) {
      throw session.explained(error)
    }
  }

  #state(): GraduationState | 'none' {
    const database = openSqliteReadonly(this.#request.from)
    try {
      return readAuthority(database)?.state ?? 'none'
    } finally {
      database.close()
    }
  }

  async #reach(): Promise<void> {
    const {
      from,
      to,
      reader,
      readSchema,
      options,
      maxLog = defaultMaxLog,
      writesHistory,
      rehearsals,
      signal,
    } = this.#request
    try {
      const reached = await reachFollowing({
        from,
        to,
        reader,
        schema: readSchema(),
        options,
        folder: this.#folder,
        maxLog,
        writesHistory: writesHistory && rehearsals === undefined,
        progress: this.#progress,
        onStep: (title, at, of) => {
          this.#listener.onStep(title, at, of)
          this.#journal?.step(title, at, of)
        },
        signal,
      })
      const { tables, findings, fixes, steps, notes } = reached
      Object.assign(this.#report, { tables, findings, fixes, steps, notes })
      this.#listener.onReached(reached)
    } catch (error) {
      if (error instanceof StoppedByFindings) throw await this.#stopped(error)
      throw error
    }
  }

  /** Bad values ended the copy: everything is taken back, and they are named. */
  async #stopped({ result }: StoppedByFindings): Promise<Failure> {
    await cancelGraduation({ ...this.#request, folder: this.#folder })
    return badValues(result.findings)
  }

  readonly #progress: Progress = (event) => {
    this.#listener.progress(event)
    this.#journal?.progress(event)
  }

  async #follow(): Promise<void> {
    const { from, to, options, signal, rehearsals } = this.#request
    await using session = await openSession({ from, to, progress: this.#progress, signal })
    this.#report.graduation = session.graduation.name
    if (!isDeepStrictEqual(storeOptions(session.options), storeOptions(options)))
      this.#note(
        'It goes on with the options it was begun with. For others, run outgrow graduate cancel first.',
      )
    this.#follows = true
    rmSync(copyPath({ folder: this.#folder, graduation: session.graduation.name }), { force: true })
    try {
      this.#journal?.step('Follow', 1, 1)
      while (!(await this.#settled(session))) await sleep(blockedMs, undefined, { signal })
      await this.#compare(session)
      if (rehearsals === undefined) await this.#wait(session)
      else await this.#rehearse(session, rehearsals)
    } catch (error) {
      throw session.explained(error)
    }
    if (rehearsals !== undefined) {
      await session[Symbol.asyncDispose]()
      await cancelGraduation({ from, to, folder: this.#folder, signal })
    }
  }

  /** Values that the application has to correct first are waited for. Returns whether everything is applied. */
  async #settled(session: OpenedSession): Promise<boolean> {
    try {
      await settle(session, this.#lag)
      return true
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'OUTGROW_BAD_VALUES') throw error
      this.#waiting(error.message)
      return false
    }
  }

  readonly #lag = (entries: number): void => {
    this.#listener.onLag(entries)
  }

  #waiting(reason: string): void {
    if (reason === this.#told) return
    this.#told = reason
    this.#listener.onWaiting(reason)
  }

  async #compare(session: OpenedSession): Promise<void> {
    const comparison = await verifyLive(session)
    this.#report.tables = comparison.tables
    this.#listener.onVerified(comparison)
    if (comparison.findings.length === 0) return
    this.#report.findings.push(...comparison.findings)
  }

  async #rehearse(session: OpenedSession, times: number): Promise<void> {
    const own = await this.#budgetMs(session)
    const budgetMs = this.#request.budgetMs ?? Math.max(own, rehearsalMs)
    for (let time = 0; time < times; time++) {
      const [held] = await rehearse(session, { times: 1, budgetMs }, this.#lag)
      if (held) this.#held(held)
    }
  }

  /** A graduation that was under way before is not taken back by a rehearsal. */
  async #rehearseOnly(times: number): Promise<GraduationReport> {
    const { from, to, budgetMs, signal } = this.#request
    const request = { from, to, budgetMs, times, signal, progress: this.#progress, onLag: this.#lag }
    for (const held of await rehearseFollowing(request)) this.#held(held)
    this.#note('The graduation that was under way goes on. To take it back, run outgrow graduate cancel.')
    return this.#ended('following')
  }

  #note(text: string): void {
    this.#report.notes.push(text)
    this.#listener.onNote(text)
  }

  #held(held: Held): void {
    this.#report.pauses.push(pauseOf(held))
    this.#listener.onHeld(held)
  }

  #switched(held: Held, findings: Finding[], notes: string[]): void {
    this.#report.findings.push(...findings)
    this.#report.notes.push(...notes)
    this.#listener.onSwitched(held, findings, notes)
  }

  /** Until the switch is made. */
  async #wait(session: OpenedSession): Promise<void> {
    for (;;) {
      const asked = await this.#untilSwitch(session)
      if (asked === undefined) return
      try {
        const { held, findings, notes } = await cutOver(session, asked, this.#lag, () => this.#afterSwitch())
        this.#held(held)
        this.#switched(held, findings, notes)
        return
      } catch (error) {
        const { cutover } = this.#request
        const canWait =
          error instanceof Failure &&
          ['OUTGROW_CUTOVER_BLOCKED', 'OUTGROW_PAUSE_TOO_LONG', 'OUTGROW_SOURCE_BUSY'].includes(error.code)
        if (cutover === 'manual' || !canWait) throw error
        this.#waiting(error.message)
        await sleep(1000, undefined, { signal: this.#request.signal })
      }
    }
  }

  /** Goes on following; returns how to switch when it is time, undefined where nothing is left to follow. */
  async #untilSwitch(session: OpenedSession): Promise<SwitchRequested | undefined> {
    const { cutover, leavesBehind, signal } = this.#request
    const own: SwitchRequested = { budgetMs: await this.#budgetMs(session), attempts: 5, leavesBehind }
    let looked = performance.now()
    for (;;) {
      const isSettled = await this.#settled(session)
      if (isSettled && performance.now() - looked > lookMs) {
        looked = performance.now()
        await session.ledger.recordLook()
      }
      if (isSettled && (await this.#isTime(session))) return own
      const answered = await answerRequests(session, own, {
        onHeld: (held) => this.#held(held),
        onSwitched: (held, findings, notes) => this.#switched(held, findings, notes),
        onLag: this.#lag,
        afterSwitch: () => this.#afterSwitch(),
      })
      if (answered === 'ended') return undefined
      if (cutover === 'manual' && isSettled) this.#waiting('outgrow graduate cutover')
      await sleep(isSettled ? idleMs : blockedMs, undefined, { signal })
    }
  }

  async #isTime(session: OpenedSession): Promise<boolean> {
    const { cutover, leavesBehind } = this.#request
    if (cutover === 'manual') return false
    if (cutover !== 'auto') return Date.now() >= cutover.getTime()
    if (leavesBehind) return true
    const { behind, others } = await obstacles(session)
    const inTheWay = [...behind, ...others]
    if (inTheWay.length > 0) this.#waiting(inTheWay.join('; '))
    return inTheWay.length === 0
  }

  async #budgetMs({ target }: OpenedSession): Promise<number> {
    const { budgetMs, stopsWrites } = this.#request
    if (stopsWrites) return 3_600_000
    return budgetMs ?? defaultBudgetMs(target.client, switchRoundTrips)
  }

  async #afterSwitch(): Promise<void> {
    const { onCutover, to } = this.#request
    if (onCutover === undefined) return
    const { command, deadlineMs } = onCutover
    const run = await runCommandLine(command, { deadlineMs, env: { POSTGRES_URL: to } })
    this.#listener.onCommand(run)
    if (run.code === 0) return
    this.#report.notes.push(
      `The switch stands. ${run.code === undefined ? `The command did not end within ${Math.round(deadlineMs / 1000)} s` : `The command ended with ${run.code}`}: run it again: ${command}`,
    )
    this.#report.exitCode = exit.findings
  }

  #ended(state: GraduationState | 'none'): GraduationReport {
    const { findings, exitCode } = this.#report
    const code = exitCode === exit.done && findings.length > 0 ? exit.findings : exitCode
    return { ...this.#report, state, exitCode: code, ok: true }
  }
}

function badValues(findings: Finding[]): Failure {
  const values = findings.reduce((sum, { count }) => sum + count, 0)
  return Object.assign(
    new Failure({
      code: 'OUTGROW_BAD_VALUES',
      message: `${values.toLocaleString('en-US')} values cannot be moved as they are. The graduation was taken back.`,
      why: 'No value is changed or dropped silently.',
      fix: 'Correct the source, name the rules that apply with --fix, or quarantine the rows with --on-bad-value quarantine.',
    }),
    { findings },
  )
}
