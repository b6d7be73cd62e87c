import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import { isRunning, SubscriptionStatus } from '../state/statuses.ts'
import type { StoredSubscription } from '../store.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { customerOf } from './customer.ts'

/** A change that outlives its request is taken for lost after this time. */
const changeMs = 180_000

/** Cancels at the end of the paid period, or now. */
export async function cancel(
  billing: Billing,
  accountId: string,
  when: 'period-end' | 'now' = 'period-end',
): Promise<void> {
  await change(
    billing,
    accountId,
    `cancel-${when}`,
    isRunning,
    async (stripe, { stripeSubscriptionId: id }, options) => {
      if (when === 'now') await stripe.subscriptions.cancel(id, {}, options)
      else await stripe.subscriptions.update(id, { cancel_at_period_end: true }, options)
    },
  )
}

/** Takes a scheduled cancel back, or goes on after a pause. */
export async function resume(billing: Billing, accountId: string): Promise<void> {
  await change(billing, accountId, 'resume', isRunning, async (stripe, subscription, options) => {
    const { stripeSubscriptionId: id, status, cancelAt, cancelAtPeriodEnd } = subscription
    if (status === SubscriptionStatus.PAUSED) await stripe.subscriptions.resume(id, {}, options)
    // A scheduled cancel is either of the two.
    else if (cancelAtPeriodEnd)
      await stripe.subscriptions.update(id, { cancel_at_period_end: false }, options)
    else if (cancelAt !== null) await stripe.subscriptions.update(id, { cancel_at: '' }, options)
  })
}

/** Stops invoices and access until `resume`. */
export async function pause(billing: Billing, accountId: string): Promise<void> {
  const canPause = (status: SubscriptionStatus) =>
    status === SubscriptionStatus.ACTIVE ||
    status === SubscriptionStatus.PAST_DUE ||
    status === SubscriptionStatus.TRIALING
  await change(
    billing,
    accountId,
    'pause',
    canPause,
    async (stripe, { stripeSubscriptionId: id }, options) => {
      await stripe.subscriptions.pause(id, { type: 'subscription' }, options)
    },
  )
}

/** Moves to another plan, from now on. */
export async function changePlan(billing: Billing, accountId: string, planId: string): Promise<void> {
  const plan = await billing.store.access.plan(planId)
  const price = plan?.active ? plan.stripePriceId : null
  if (price === null) {
    throw new Failure({
      code: 'OUTGROW_BILLING_PLAN',
      message: `Plan ${planId} is unknown, inactive or has no price at Stripe.`,
      fix: 'Offer an active plan that has a price at Stripe.',
    })
  }
  const canChange = (status: SubscriptionStatus) => isRunning(status) && status !== SubscriptionStatus.PAUSED
  await change(billing, accountId, `plan-${planId}`, canChange, async (stripe, subscription, options) => {
    // Beside the plan there may be items that are none: they stay.
    const [item, ...others] = subscription.items.filter(({ planId: known }) => known !== null)
    if (!item || others.length > 0) throw severalPlans(accountId, subscription.items.length)
    if (item.stripePriceId === price) return
    await stripe.subscriptions.update(
      subscription.stripeSubscriptionId,
      // Without a quantity Stripe takes 1 for a new price.
      { items: [{ id: item.stripeItemId, price, quantity: item.quantity }] },
      options,
    )
  })
}

/**
 * Makes one change at Stripe at a time. The customer's row is locked while the change is written down; the call follows
 * without any transaction; the synchronisation afterwards shows what became of it.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION
 */
async function change(
  billing: Billing,
  accountId: string,
  name: string,
  isPossible: (status: SubscriptionStatus) => boolean,
  call: (stripe: Stripe, subscription: StoredSubscription, options: Stripe.RequestOptions) => Promise<void>,
): Promise<void> {
  const { store, stripe } = billing
  const { id: customerId, stripeCustomerId } = await customerOf(billing, accountId)
  const { subscription, seq, mark } = await store.transaction(async (tx) => {
    const customer = await tx.fence.lock(customerId)
    const now = timeOf(billing)
    if (customer.change && customer.change.until > now) throw pending(accountId, customer.change.name)
    const subscriptions = (await tx.subscriptions.ofCustomer(customerId)).toSorted(byStart)
    const subscription = subscriptions.find(({ status }) => isPossible(status))
    if (!subscription) throw none(accountId, name, subscriptions)
    const mark = { name, until: new Date(now.getTime() + changeMs) }
    return { subscription, mark, seq: await tx.customers.beginChange(customerId, mark) }
  })
  const sync = () => syncCustomer(billing, { customerId, stripeCustomerId })
  try {
    await call(stripe, subscription, {
      idempotencyKey: `${name}:${subscription.stripeSubscriptionId}:${seq}`,
    })
  } catch (error) {
    // It may have been made all the same: a lost answer is no refusal.
    await sync().catch(() => {})
    throw error
  } finally {
    // Only this one's mark: when it took too long, another change may be under way by now.
    await store.customers.endChange(customerId, mark)
  }
  await sync()
}

/** The oldest first. */
function byStart(a: StoredSubscription, b: StoredSubscription): number {
  return (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0)
}

function severalPlans(accountId: string, items: number): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
    message: `The subscription of account ${accountId} has ${items} items; a plan change needs exactly one item that is a plan.`,
    fix: 'Change it in Stripe’s dashboard, or send the customer to the portal.',
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

function none(accountId: string, name: string, subscriptions: StoredSubscription[]): Failure {
  const statuses = subscriptions.map(({ stripeStatus }) => stripeStatus).join(', ')
  return new Failure({
    code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
    message: `Account ${accountId} has no subscription that allows ${name}${statuses === '' ? '' : ` (found: ${statuses})`}.`,
    fix: 'Reload the account’s state: it has changed.',
  })
}
