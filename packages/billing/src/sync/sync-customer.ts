import { policyOf, timeOf, type Billing } from '../context.ts'
import type { BillingTables } from '../store.ts'
import { applyStripeState } from './apply.ts'
import { effectsOfGone, effectsOfState, type Effect } from './effects.ts'
import { messagesOf } from './messages.ts'
import { fetchStripeState } from './stripe-state.ts'

export interface SyncRequest {
  /** `id` of the customer in the database. */
  customerId: string
  stripeCustomerId: string
  /** The event that led to this, for the history. */
  eventId?: string | null
  /** Further effects that belong to it. */
  effects?: Effect[]
  /** Runs in the transaction that writes: what must be true together with it. */
  inSameTransaction?: (tx: BillingTables, outcome: SyncOutcome) => Promise<void>
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
  const { store, stripe } = billing
  const policy = policyOf(billing)
  const { customerId, stripeCustomerId, eventId = null, effects = [], inSameTransaction } = request
  const seq = await store.fence.draw(customerId)
  const stripeState = await fetchStripeState(stripe, stripeCustomerId, policy.stripeEntitlements)
  return store.transaction(async (tx) => {
    const customer = await tx.fence.lock(customerId)
    // What another customer of Stripe has replaced meanwhile is of no account any more.
    const isCurrent = customer.stripeCustomerId === stripeCustomerId
    const outcome: SyncOutcome = isCurrent && seq > customer.appliedSeq ? 'applied' : 'superseded'
    const now = timeOf(billing)
    const all = [...effects]
    const drift: string[] = []
    if (outcome === 'applied') {
      const applied = await applyStripeState(tx, customer, { stripeState, policy, eventId, now })
      drift.push(...applied.drift)
      all.push(...effectsOfState(stripeCustomerId, stripeState.subscriptions))
      all.push(...effectsOfGone(stripeCustomerId, applied.gone))
      const { deleted, email } = stripeState
      await tx.fence.pass(customerId, seq, { deleted, email: email ?? customer.email })
    }
    await tx.outbox.put(messagesOf(all, { baselineAt: customer.baselineAt, now }, policy), now)
    await inSameTransaction?.(tx, outcome)
    return { outcome, drift }
  })
}
