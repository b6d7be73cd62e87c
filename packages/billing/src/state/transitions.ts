import { SubscriptionStatus } from './statuses.ts'

const { INCOMPLETE, INCOMPLETE_EXPIRED, TRIALING, ACTIVE, PAST_DUE, CANCELED, UNPAID, PAUSED, UNKNOWN } =
  SubscriptionStatus

/**
 * From each status, where Stripe allowedTransitions a subscription to; `NONE` is before it was seen.
 * Source: "How subscriptions work" and the pause and collection settings of Stripe's documentation.
 */
const allowedTransitions: Record<SubscriptionStatus | 'NONE', readonly SubscriptionStatus[]> = {
  NONE: [INCOMPLETE, TRIALING, ACTIVE],
  INCOMPLETE: [ACTIVE, INCOMPLETE_EXPIRED, CANCELED],
  TRIALING: [ACTIVE, PAUSED, PAST_DUE, CANCELED],
  ACTIVE: [PAST_DUE, PAUSED, CANCELED],
  PAST_DUE: [ACTIVE, UNPAID, PAUSED, CANCELED],
  UNPAID: [ACTIVE, CANCELED],
  PAUSED: [ACTIVE, PAST_DUE, CANCELED],
  CANCELED: [],
  INCOMPLETE_EXPIRED: [],
  UNKNOWN: [],
}

/**
 * Whether a move is in the table. An unexpected one is recorded and told, and never stands in the way of the truth:
 * several allowedTransitions may lie between two looks at Stripe.
 */
export function isExpectedTransition(from: SubscriptionStatus | undefined, to: SubscriptionStatus): boolean {
  if (from === UNKNOWN || to === UNKNOWN) return false
  return allowedTransitions[from ?? 'NONE'].includes(to)
}
