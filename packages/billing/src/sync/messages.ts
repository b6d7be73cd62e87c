import type { BillingPolicy } from '../config/policy.ts'
import type { NewMessage, Skipped } from '../store.ts'
import type { Effect } from './effects.ts'

/** Clocks differ, and Stripe counts whole seconds. */
const skewMs = 5 * 60_000
const dayMs = 86_400_000

export interface Moment {
  /** What happened before is taken as said. */
  baselineAt: Date
  now: Date
}

/** Effects as the outbox takes them. What nobody should be mailed about any more is recorded, and not sent. */
export function messagesOf(
  effects: readonly Effect[],
  moment: Moment,
  policy: Pick<BillingPolicy, 'messageDays'>,
): NewMessage[] {
  return effects.map(({ happenedAt, ...message }) => ({
    ...message,
    skipped: skipped(happenedAt, moment, policy),
  }))
}

export function skipped(
  happenedAt: Date,
  { baselineAt, now }: Moment,
  { messageDays }: Pick<BillingPolicy, 'messageDays'>,
): Skipped | undefined {
  if (happenedAt.getTime() < baselineAt.getTime() - skewMs) return 'baseline'
  return happenedAt.getTime() < now.getTime() - messageDays * dayMs ? 'late' : undefined
}
