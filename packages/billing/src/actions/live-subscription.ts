import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { BillingStore } from '../store.ts'

/** A subscription as Stripe has it at this moment, with all its items, its schedule and its newest invoice. */
export interface LiveSubscription extends Omit<
  Stripe.Subscription,
  'items' | 'schedule' | 'latest_invoice' | 'discounts'
> {
  items: Stripe.SubscriptionItem[]
  discounts: Stripe.Discount[]
  schedule: Stripe.SubscriptionSchedule | null
  latest_invoice: Stripe.Invoice | null
}

/** Asks Stripe for a subscription before it is changed: what is stored may be a moment old. */
export async function liveSubscription(
  stripe: Stripe,
  id: string,
  options?: Stripe.RequestOptions,
): Promise<LiveSubscription> {
  const { items, schedule, latest_invoice, discounts, ...subscription } = await stripe.subscriptions.retrieve(
    id,
    { expand: ['schedule', 'latest_invoice', 'discounts.source.coupon'] },
    options,
  )
  const all = items.has_more
    ? await stripe.subscriptionItems
        .list({ subscription: id, limit: 100 }, options)
        .autoPagingToArray({ limit: 1000 })
    : items.data
  return {
    ...subscription,
    items: all,
    discounts: discounts.filter((discount) => typeof discount !== 'string'),
    schedule: typeof schedule === 'string' ? null : schedule,
    latest_invoice: typeof latest_invoice === 'string' ? null : latest_invoice,
  }
}

/**
 * The item that is the plan. Beside it there may be items that are none.
 * @throws Failure OUTGROW_BILLING_NO_SUBSCRIPTION when there is no such item, or more than one
 */
export async function planItemOf(
  { access }: BillingStore,
  { id, items }: Pick<LiveSubscription, 'id' | 'items'>,
): Promise<Stripe.SubscriptionItem> {
  const plans = new Set((await access.prices()).map(({ stripePriceId }) => stripePriceId))
  const [item, ...others] = items.filter(({ price }) => plans.has(price.id))
  if (item && others.length === 0) return item
  throw new Failure({
    code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
    message: `Subscription ${id} has ${items.length} items; a plan change needs exactly one item that is a plan.`,
    fix: 'Change it in Stripe’s dashboard, or send the customer to the portal.',
  })
}
