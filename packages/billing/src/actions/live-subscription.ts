import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { BillingStore } from '../store.ts'

/** What a change looks at. */
type Looked =
  | 'id'
  | 'customer'
  | 'status'
  | 'billing_mode'
  | 'cancel_at'
  | 'cancel_at_period_end'
  | 'collection_method'
  | 'default_payment_method'
  | 'default_tax_rates'
  | 'pause_collection'
  | 'pending_update'
  | 'status_details'

/** A subscription as Stripe has it at this moment, with all its items, its discounts, its schedule and its newest invoice. */
export interface LiveSubscription extends Pick<Stripe.Subscription, Looked> {
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
  const found = await stripe.subscriptions.retrieve(
    id,
    { expand: ['schedule', 'latest_invoice', 'discounts.source.coupon'] },
    options,
  )
  const { schedule, latest_invoice: invoice, discounts } = found
  const items = found.items.has_more
    ? await stripe.subscriptionItems
        .list({ subscription: id, limit: 100 }, options)
        .autoPagingToArray({ limit: 1000 })
    : found.items.data
  return {
    id,
    customer: found.customer,
    status: found.status,
    billing_mode: found.billing_mode,
    cancel_at: found.cancel_at,
    cancel_at_period_end: found.cancel_at_period_end,
    collection_method: found.collection_method,
    default_payment_method: found.default_payment_method,
    default_tax_rates: found.default_tax_rates ?? null,
    pause_collection: found.pause_collection,
    pending_update: found.pending_update,
    // Stripe shows it only then.
    ...(found.status === 'paused' && { status_details: found.status_details }),
    items,
    discounts: discounts.filter((discount) => typeof discount !== 'string'),
    schedule: typeof schedule === 'string' ? null : schedule,
    latest_invoice: typeof invoice === 'string' ? null : invoice,
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
