import { isRunning, isServed, SubscriptionStatus } from '../state/statuses.ts'
import type { BillingCounts, BillingStore, DeadLetter, OutsidePlans, UnlinkedPayer } from '../store.ts'
import { lastReconciliation, type LastReconciliation } from './reconcile-task.ts'

export interface BillingStatus extends BillingCounts {
  /** Accounts with more than one running subscription. */
  doubleSubscriptions: { accountId: string; subscriptions: string[] }[]
  /** Accounts that pay for what no plan gives. */
  outsidePlans: OutsidePlans[]
  /** Customers of Stripe who pay and belong to no account. */
  unlinkedPayers: UnlinkedPayer[]
  /** Null where none has come to its end. */
  reconciled: LastReconciliation | null
}

/** More would say nothing new. */
const maxReported = 1000

/** Statuses as Stripe writes them. */
const textsOf = (fits: (status: SubscriptionStatus) => boolean) =>
  Object.values(SubscriptionStatus)
    .filter(fits)
    .map((status) => status.toLowerCase())

const notRunning = textsOf((status) => !isRunning(status))
const served = textsOf(isServed)

/** The state of billing in numbers. */
export async function billingStatus(
  { upkeep, unlinked }: BillingStore,
  now = new Date(),
): Promise<BillingStatus> {
  const counts = await upkeep.counts(now)
  return {
    ...counts,
    doubleSubscriptions: await upkeep.payingTwice(notRunning, maxReported),
    outsidePlans: await upkeep.outsidePlans(served, maxReported),
    unlinkedPayers: await unlinked.list(maxReported),
    reconciled: await lastReconciliation(upkeep),
  }
}

/** Events that were given up, the newest first. */
export function deadLetters({ upkeep }: BillingStore, limit = 100): Promise<DeadLetter[]> {
  return upkeep.deadLetters(limit)
}
