import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import { statusOf, type SubscriptionStatus } from '../state/statuses.ts'
import type { StoredSubscription } from '../store.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { customerOf } from './customer.ts'
import { liveSubscription, type LiveSubscription } from './live-subscription.ts'

/** A change that outlives its request is taken for lost after this time: it makes up to nine calls. */
const changeMs = 300_000

/** What a change works with while no other one of its customer can be made. */
export interface ChangeContext {
  stripe: Stripe
  /** As Stripe has it now, in a status that allows the change. */
  live: LiveSubscription
  /** The idempotency key of one of its calls, by a name for the call. */
  key(call: string): Stripe.RequestOptions
}

/**
 * Makes one change at Stripe at a time. The customer's row is locked while the change is written down; the calls follow
 * without any transaction; the synchronisation afterwards shows what became of it.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION
 */
export async function change<Result>(
  billing: Billing,
  accountId: string,
  name: string,
  isPossible: (status: SubscriptionStatus) => boolean,
  make: (context: ChangeContext) => Promise<Result>,
): Promise<Result> {
  const { store, stripe } = billing
  const { id: customerId, stripeCustomerId } = await customerOf(billing, accountId)
  const { subscription, seq, mark } = await store.transaction(async (tx) => {
    const customer = await tx.fence.lock(customerId)
    const now = timeOf(billing)
    if (customer.change && customer.change.until > now) throw pending(accountId, customer.change.name)
    const subscription = oldest(await tx.subscriptions.ofCustomer(customerId), isPossible, accountId, name)
    const mark = { name, until: new Date(now.getTime() + changeMs) }
    return { subscription, mark, seq: await tx.customers.beginChange(customerId, mark) }
  })
  const sync = () => syncCustomer(billing, { customerId, stripeCustomerId })
  // Stripe remembers keys for a day, and a database that was restored from a backup draws the same numbers again.
  const unique = `${name}:${subscription.stripeSubscriptionId}:${seq}:${mark.until.getTime()}`
  const key = (call: string) => ({ idempotencyKey: `${unique}:${call}` })
  let result: Result
  try {
    const live = await liveSubscription(stripe, subscription.stripeSubscriptionId)
    // What is stored may be a moment old.
    if (!isPossible(statusOf(live.status))) throw impossible(accountId, name, [live.status])
    result = await make({ stripe, live, key })
  } catch (error) {
    // It may have been made all the same: a lost answer is no refusal.
    await sync().catch(() => {})
    throw error
  } finally {
    // Only this one's mark: when it took too long, another change may be under way by now.
    await store.customers.endChange(customerId, mark)
  }
  await sync()
  return result
}

/**
 * The subscription that a change is about: the oldest one that allows it.
 * @throws Failure OUTGROW_BILLING_NO_SUBSCRIPTION
 */
export function oldest(
  subscriptions: readonly StoredSubscription[],
  isPossible: (status: SubscriptionStatus) => boolean,
  accountId: string,
  name: string,
): StoredSubscription {
  const byStart = subscriptions.toSorted(
    (a, b) => (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0),
  )
  const found = byStart.find(({ status }) => isPossible(status))
  if (found) return found
  throw impossible(
    accountId,
    name,
    byStart.map(({ stripeStatus }) => stripeStatus),
  )
}

/** @param statuses of the subscriptions that there are, as Stripe writes them */
export function impossible(accountId: string, name: string, statuses: readonly string[]): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
    message: `Account ${accountId} has no subscription that allows ${name}${statuses.length === 0 ? '' : ` (found: ${statuses.join(', ')})`}.`,
    fix: 'Reload the account’s state: it has changed.',
  })
}

function pending(accountId: string, name: string): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_CHANGE_PENDING',
    message: `Another change (${name}) of account ${accountId} is in progress.`,
    why: 'Concurrent changes would race each other at Stripe.',
    fix: 'Try again in a moment.',
  })
}
