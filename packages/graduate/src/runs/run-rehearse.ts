import { askFollower } from '../flows/live/ask-follower.ts'
import { defaultBudgetMs, rehearse, switchRoundTrips } from '../flows/live/follow.ts'
import { openSession } from '../flows/live/open-session.ts'
import type { Held } from '../steps/live/hold.ts'
import { failureOf, rehearsalMs, type RequestAnswer } from './answer-requests.ts'
import { blankGraduation, pauseOf, type GraduationReport } from './graduation-report.ts'
import { alreadySwitched, type CutoverRun } from './run-cutover.ts'

export interface RehearseRun extends Omit<CutoverRun, 'leavesBehind'> {
  times: number
}

/**
 * Rehearses the switch of a graduation that follows, and leaves it following: by the process that follows, else by this
 * one, which catches up first.
 * @throws Failure as a switch does
 */
export async function runRehearse(request: RehearseRun): Promise<GraduationReport> {
  const held = await rehearseFollowing(request)
  return { ...blankGraduation('graduate rehearse'), state: 'following', pauses: held.map(pauseOf) }
}

/** The same: how long writes were held, each time. */
export async function rehearseFollowing(request: RehearseRun): Promise<Held[]> {
  const { budgetMs = null, times } = request
  const asked = await askFollower<RequestAnswer>(request, {
    kind: 'rehearse',
    budgetMs,
    times,
    leavesBehind: false,
  })
  const { held, failure } = asked ?? (await rehearseHere(request))
  if (failure) throw failureOf(failure)
  return held
}

async function rehearseHere(request: RehearseRun): Promise<Omit<RequestAnswer, 'id'>> {
  const { times, onLag } = request
  await using session = await openSession(request)
  try {
    if (session.graduation.state === 'switched') throw alreadySwitched()
    const budgetMs =
      request.budgetMs ??
      Math.max(await defaultBudgetMs(session.target.client, switchRoundTrips), rehearsalMs)
    const held = await rehearse(session, { times, budgetMs }, onLag)
    return { held, findings: [], notes: [], failure: null }
  } catch (error) {
    throw session.explained(error)
  }
}
