import type { Stripe } from 'stripe'
import { lockForUpdate, SubscriptionStatus, withRetry, type Prisma } from '@outgrow/client'
import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import { isRunning } from '../state/statuses.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { customerOf } from './customer.ts'

type Subscription = Prisma.SubscriptionGetPayload<{ include: { items: true } }>

/** A change that outlives its request is taken for lost after this time. */
const changeMs = 60_000

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
  const plan = await billing.database.client.plan.findUnique({ where: { id: planId } })
  const price = plan?.active ? plan.stripePriceId : null
  if (price === null) {
    throw new Failure({
      code: 'OUTGROW_BILLING_PLAN',
      message: `The plan ${planId} cannot be bought.`,
      fix: 'Offer a plan that is active and has a price at Stripe.',
    })
  }
  const canChange = (status: SubscriptionStatus) => isRunning(status) && status !== SubscriptionStatus.PAUSED
  await change(billing, accountId, `plan-${planId}`, canChange, async (stripe, subscription, options) => {
    const [item] = subscription.items
    if (!item || item.stripePriceId === price) return
    await stripe.subscriptions.update(
      subscription.stripeSubscriptionId,
      { items: [{ id: item.stripeItemId, price }] },
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
  call: (stripe: Stripe, subscription: Subscription, options: Stripe.RequestOptions) => Promise<void>,
): Promise<void> {
  const { database, stripe } = billing
  const { client } = database
  const { id: customerId, stripeCustomerId } = await customerOf(billing, accountId)
  const started = await withRetry(() =>
    client.$transaction(async (tx) => {
      await lockForUpdate(database, tx, 'billingCustomer', { id: customerId })
      const now = timeOf(billing)
      const customer = await tx.billingCustomer.findUniqueOrThrow({ where: { id: customerId } })
      if (customer.changeUntil !== null && customer.changeUntil > now)
        throw pending(accountId, customer.change)
      const subscriptions = await tx.subscription.findMany({
        where: { customerId },
        include: { items: { orderBy: { stripeItemId: 'asc' } } },
        orderBy: { startedAt: 'asc' },
      })
      const subscription = subscriptions.find(({ status }) => isPossible(status))
      if (!subscription) throw none(accountId, name, subscriptions)
      const { syncSeq } = await tx.billingCustomer.update({
        where: { id: customerId },
        data: { change: name, changeUntil: new Date(now.getTime() + changeMs), syncSeq: { increment: 1 } },
      })
      return { subscription, syncSeq }
    }),
  )
  const { subscription, syncSeq } = started
  try {
    await call(stripe, subscription, {
      idempotencyKey: `${name}:${subscription.stripeSubscriptionId}:${syncSeq}`,
    })
  } finally {
    const done = { change: null, changeUntil: null }
    await withRetry(() => client.billingCustomer.update({ where: { id: customerId }, data: done }))
  }
  await syncCustomer(billing, { customerId, stripeCustomerId })
}

function pending(accountId: string, name: string | null): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_CHANGE_PENDING',
    message: `Another change (${name ?? 'unnamed'}) of account ${accountId} is under way.`,
    why: 'Two changes at once would race each other at Stripe.',
    fix: 'Try again in a moment.',
  })
}

function none(accountId: string, name: string, subscriptions: Subscription[]): Failure {
  const statuses = subscriptions.map(({ stripeStatus }) => stripeStatus).join(', ')
  return new Failure({
    code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
    message: `Account ${accountId} has no subscription for ${name}${statuses === '' ? '' : ` (only: ${statuses})`}.`,
    fix: 'Show the account’s state anew: it has changed.',
  })
}
