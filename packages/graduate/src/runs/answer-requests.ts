import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@outgrow/kit'
import { cutOver, rehearse, type SwitchRequested } from '../flows/live/follow.ts'
import type { OpenedSession } from '../flows/live/open-session.ts'
import type { Finding } from '../model/finding.ts'
import type { Held } from '../steps/live/hold.ts'

/** What somebody is told who asked another process for something. */
export interface RequestAnswer {
  id: string
  held: Held[]
  findings: Finding[]
  notes: string[]
  failure: { code: Failure['code']; message: string; why: string | null; fix: string | null } | null
}

/** The failure that another process has met, to be thrown in this one. */
export function failureOf({ code, message, why, fix }: NonNullable<RequestAnswer['failure']>): Failure {
  return new Failure({ code, message, why: why ?? undefined, ...(fix !== null && { fix }) })
}

/** Whether what was copied is of another schema, or not whole any more: the copy has to begin again. */
export function beginsAgain({ code }: Failure): boolean {
  return (
    code === 'OUTGROW_SCHEMA_CHANGED_LIVE' ||
    code === 'OUTGROW_CAPTURE_OVERFLOWED' ||
    code === 'OUTGROW_TARGET_CHANGED'
  )
}

/** How often it is looked whether an answer was fetched, and how long apart. */
const looks = 40
const lookMs = 50

/** For how long a rehearsal holds writes at most, where nobody has said. */
export const rehearsalMs = 2000

interface Listener {
  onHeld(held: Held): void
  onSwitched(held: Held, findings: Finding[], notes: string[]): void
  onLag(entries: number): void
  /** Right after the commit point. */
  afterSwitch(): Promise<void>
}

/**
 * Does what another command has asked of the process that follows, and tells it what came of it.
 * @returns `ended` where nothing is left to follow
 */
export async function answerRequests(
  session: OpenedSession,
  own: SwitchRequested,
  listener: Listener,
): Promise<'ended' | 'none' | 'answered'> {
  const { ledger } = session
  const request = await ledger.request()
  if (request === undefined) return 'none'
  const { id, kind, budgetMs, times, leavesBehind } = request
  let again: Failure | undefined
  const answer: Omit<RequestAnswer, 'id'> = { held: [], findings: [], notes: [], failure: null }
  try {
    switch (kind) {
      case 'rehearse':
        answer.held = await rehearse(
          session,
          { times, budgetMs: budgetMs ?? Math.max(own.budgetMs, rehearsalMs) },
          listener.onLag,
        )
        for (const held of answer.held) listener.onHeld(held)
        break
      case 'cutover': {
        const asked = { ...own, budgetMs: budgetMs ?? own.budgetMs, leavesBehind }
        const { held, findings, notes } = await cutOver(session, asked, listener.onLag, () =>
          listener.afterSwitch(),
        )
        Object.assign(answer, { held: [held], findings, notes })
        listener.onHeld(held)
        listener.onSwitched(held, findings, notes)
        break
      }
      case 'stop':
        break
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (beginsAgain(error)) again = error
    const { code, message, why = null, fix = null } = error
    answer.failure = { code, message, why, fix }
  }
  await ledger.answer(id, answer)
  if (again) {
    // The record goes with this graduation: who asked is told before.
    for (let look = 0; look < looks && !(await ledger.isFetched(id)); look++) await sleep(lookMs)
    throw again
  }
  return kind === 'stop' || session.graduation.state === 'switched' ? 'ended' : 'answered'
}
