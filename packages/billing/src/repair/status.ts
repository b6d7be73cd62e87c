import { isRunning, SubscriptionStatus } from '../state/statuses.ts'
import type { BillingCounts, BillingStore, DeadLetter } from '../store.ts'

export interface BillingStatus extends BillingCounts {
  /** Accounts with more than one running subscription. */
  doubleSubscriptions: { accountId: string; subscriptions: string[] }[]
}

/** More would say nothing new. */
const maxReported = 1000

/** As Stripe writes them. */
const notRunning = Object.values(SubscriptionStatus)
  .filter((status) => !isRunning(status))
  .map((status) => status.toLowerCase())

/** The state of billing in numbers. */
export async function billingStatus({ upkeep }: BillingStore, now = new Date()): Promise<BillingStatus> {
  const counts = await upkeep.counts(now)
  return { ...counts, doubleSubscriptions: await upkeep.payingTwice(notRunning, maxReported) }
}

/** Events that were given up, the newest first. */
export function deadLetters({ upkeep }: BillingStore, limit = 100): Promise<DeadLetter[]> {
  return upkeep.deadLetters(limit)
}
