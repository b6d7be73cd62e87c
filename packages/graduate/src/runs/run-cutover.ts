import { exit, Failure } from '@outgrow/kit'
import { askFollower } from '../flows/live/ask-follower.ts'
import { cutOver, defaultBudgetMs, switchRoundTrips, type SwitchRequested } from '../flows/live/follow.ts'
import { openSession } from '../flows/live/open-session.ts'
import type { Progress } from '../model/progress.ts'
import { failureOf, type RequestAnswer } from './answer-requests.ts'
import { blankGraduation, pauseOf, type GraduationReport } from './graduation-report.ts'

export interface CutoverRun {
  from: string
  to: string
  /** How long writes may be held, in ms; undefined: 100 and three round trips. */
  budgetMs: number | undefined
  leavesBehind: boolean
  signal: AbortSignal
  progress: Progress
  onLag(entries: number): void
}

/**
 * Switches: by the process that follows, else by this one, which catches up first.
 * @throws Failure as a switch does
 */
export async function runCutover(request: CutoverRun): Promise<GraduationReport> {
  const { budgetMs = null, leavesBehind } = request
  const asked = await askFollower<RequestAnswer>(request, {
    kind: 'cutover',
    budgetMs,
    times: 1,
    leavesBehind,
  })
  const { held, findings, notes, failure } = asked ?? (await switchHere(request))
  if (failure) throw failureOf(failure)
  return {
    ...blankGraduation('graduate cutover'),
    state: 'switched',
    findings,
    notes,
    exitCode: findings.length > 0 ? exit.findings : exit.done,
    pauses: held.map(pauseOf),
  }
}

async function switchHere(request: CutoverRun): Promise<Omit<RequestAnswer, 'id'>> {
  const { from, to, signal, progress, leavesBehind, onLag } = request
  await using session = await openSession({ from, to, progress, signal })
  try {
    if (session.graduation.state === 'switched') throw alreadySwitched()
    const { budgetMs = await defaultBudgetMs(session.target.client, switchRoundTrips) } = request
    const asked: SwitchRequested = { budgetMs, attempts: 5, leavesBehind }
    const { held, findings, notes } = await cutOver(session, asked, onLag)
    return { held: [held], findings, notes, failure: null }
  } catch (error) {
    throw session.explained(error)
  }
}

export function alreadySwitched(): Failure {
  return new Failure({
    code: 'OUTGROW_GRADUATION_SWITCHED',
    message: 'The switch was made already: the application’s rows are in Postgres.',
    fix: 'See outgrow graduate status.',
  })
}
