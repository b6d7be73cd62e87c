import { lockForUpdate, withRetry, type TransactionClient } from '@outgrow/db'
import { defaultPolicy } from '../config/policy.ts'
import { timeOf, type Billing } from '../context.ts'
import { applyTruth, writeEffects } from './apply.ts'
import { effectsOfState, type Effect } from './effects.ts'
import { fetchTruth } from './truth.ts'

export interface SyncRequest {
  /** `id` of the BillingCustomer. */
  customerId: string
  stripeCustomerId: string
  /** The event that led to this, for the history. */
  eventId?: string | null
  /** Further effects that belong to it. */
  effects?: Effect[]
  /** Runs in the transaction that writes: what must be true together with it. */
  alongside?: (tx: TransactionClient, outcome: SyncOutcome) => Promise<void>
}

export type SyncOutcome =
  /** Written. */
  | 'applied'
  /** A synchronisation that began later has written already: what it saw is newer. */
  | 'superseded'

export interface SyncResult {
  outcome: SyncOutcome
  /** What had been different, in words. */
  drift: string[]
}

/**
 * Brings a customer to what Stripe says now, fenced: each run takes a number before it asks, and writes only while no
 * run with a higher number has written. So an answer that is old can never follow a newer one.
 */
export async function syncCustomer(billing: Billing, request: SyncRequest): Promise<SyncResult> {
  const { database, stripe, policy = defaultPolicy } = billing
  const { client } = database
  const { customerId, stripeCustomerId, eventId = null, effects = [], alongside } = request
  const { syncSeq } = await withRetry(() =>
    client.billingCustomer.update({
      where: { id: customerId },
      data: { syncSeq: { increment: 1 } },
      select: { syncSeq: true },
    }),
  )
  const truth = await fetchTruth(stripe, stripeCustomerId, policy.stripeEntitlements)
  return withRetry(() =>
    client.$transaction(async (tx) => {
      await lockForUpdate(database, tx, 'billingCustomer', { id: customerId })
      const customer = await tx.billingCustomer.findUniqueOrThrow({ where: { id: customerId } })
      const outcome: SyncOutcome = syncSeq > customer.appliedSeq ? 'applied' : 'superseded'
      const now = timeOf(billing)
      const drift =
        outcome === 'applied' ? await applyTruth(tx, customer, { truth, policy, eventId, now }) : []
      if (outcome === 'applied') {
        await tx.billingCustomer.update({
          where: { id: customerId },
          data: { appliedSeq: syncSeq, deleted: truth.deleted, email: truth.email ?? customer.email },
        })
      }
      const ofState = outcome === 'applied' ? effectsOfState(stripeCustomerId, truth.subscriptions) : []
      await writeEffects(database, tx, [...effects, ...ofState], now)
      await alongside?.(tx, outcome)
      return { outcome, drift }
    }),
  )
}
