/** Where an event of the inbox stands. */
export const EventStatus = {
  PENDING: 'PENDING',
  PROCESSING: 'PROCESSING',
  DONE: 'DONE',
  IGNORED: 'IGNORED',
  DEAD: 'DEAD',
} as const

export type EventStatus = (typeof EventStatus)[keyof typeof EventStatus]

/** Stripe's statuses of a subscription, and one for those that it adds later. */
export const SubscriptionStatus = {
  INCOMPLETE: 'INCOMPLETE',
  INCOMPLETE_EXPIRED: 'INCOMPLETE_EXPIRED',
  TRIALING: 'TRIALING',
  ACTIVE: 'ACTIVE',
  PAST_DUE: 'PAST_DUE',
  CANCELED: 'CANCELED',
  UNPAID: 'UNPAID',
  PAUSED: 'PAUSED',
  UNKNOWN: 'UNKNOWN',
} as const

export type SubscriptionStatus = (typeof SubscriptionStatus)[keyof typeof SubscriptionStatus]

/** Stripe's statuses, by the text that it writes. */
const byText = new Map(
  Object.values(SubscriptionStatus)
    .filter((status) => status !== SubscriptionStatus.UNKNOWN)
    .map((status) => [status.toLowerCase(), status]),
)

/** UNKNOWN for a status that Stripe has added since; its text is kept beside it. */
export function statusOf(text: string): SubscriptionStatus {
  return byText.get(text) ?? SubscriptionStatus.UNKNOWN
}

/** It has ended for good. */
export function isOver(status: SubscriptionStatus): boolean {
  return status === SubscriptionStatus.CANCELED || status === SubscriptionStatus.INCOMPLETE_EXPIRED
}

/** It is paid for, or was until a moment ago: it should give something. */
export function isServed(status: SubscriptionStatus): boolean {
  return isRunning(status) && status !== SubscriptionStatus.PAUSED && status !== SubscriptionStatus.UNPAID
}

/** It began, and has not ended: a customer should have one of these. */
export function isRunning(status: SubscriptionStatus): boolean {
  return !isOver(status) && status !== SubscriptionStatus.INCOMPLETE
}
