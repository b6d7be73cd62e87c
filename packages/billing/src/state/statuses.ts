import { SubscriptionStatus } from '@outgrow/db'

/** Stripe's statuses, by the text that it writes. */
const byText: Record<string, SubscriptionStatus> = {
  incomplete: SubscriptionStatus.INCOMPLETE,
  incomplete_expired: SubscriptionStatus.INCOMPLETE_EXPIRED,
  trialing: SubscriptionStatus.TRIALING,
  active: SubscriptionStatus.ACTIVE,
  past_due: SubscriptionStatus.PAST_DUE,
  canceled: SubscriptionStatus.CANCELED,
  unpaid: SubscriptionStatus.UNPAID,
  paused: SubscriptionStatus.PAUSED,
}

/** UNKNOWN for a status that Stripe has added since; its text is kept beside it. */
export function statusOf(text: string): SubscriptionStatus {
  return byText[text] ?? SubscriptionStatus.UNKNOWN
}

/** It has ended for good. */
export function isOver(status: SubscriptionStatus): boolean {
  return status === SubscriptionStatus.CANCELED || status === SubscriptionStatus.INCOMPLETE_EXPIRED
}

/** It began, and has not ended: a customer should have one of these. */
export function isRunning(status: SubscriptionStatus): boolean {
  return !isOver(status) && status !== SubscriptionStatus.INCOMPLETE
}
