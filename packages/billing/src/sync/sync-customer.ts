import { defaultPolicy } from '../config/policy.ts'
import { timeOf, type Billing } from '../context.ts'
import type { BillingTables } from '../store.ts'
import { applyStripeState } from './apply.ts'
import { effectsOfState, type Effect } from './effects.ts'
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
  const { store, stripe, policy = defaultPolicy } = billing
  const { customerId, stripeCustomerId, eventId = null, effects = [], inSameTransaction } = request
  const seq = await store.fence.draw(customerId)
  const stripeState = await fetchStripeState(stripe, stripeCustomerId, policy.stripeEntitlements)
  return store.transaction(async (tx) => {
    const customer = await tx.fence.lock(customerId)
    const outcome: SyncOutcome = seq > customer.appliedSeq ? 'applied' : 'superseded'
    const now = timeOf(billing)
    const drift =
      outcome === 'applied' ? await applyStripeState(tx, customer, { stripeState, policy, eventId, now }) : []
    if (outcome === 'applied') {
      const { deleted, email } = stripeState
      await tx.fence.pass(customerId, seq, { deleted, email: email ?? customer.email })
    }
    const ofState = outcome === 'applied' ? effectsOfState(stripeCustomerId, stripeState.subscriptions) : []
    await tx.outbox.put([...effects, ...ofState], now)
    await inSameTransaction?.(tx, outcome)
    return { outcome, drift }
  })
}
