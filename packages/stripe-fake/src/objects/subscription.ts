import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'
import { list } from './list.ts'

export function subscriptionObject(
  id: string,
  created: Seconds,
  customer: string,
  status: Stripe.Subscription.Status,
): Stripe.Subscription {
  return {
    id,
    object: 'subscription',
    billing_cycle_anchor: created,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: null,
    collection_method: 'charge_automatically',
    created,
    currency: 'usd',
    customer,
    days_until_due: null,
    default_payment_method: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    ended_at: null,
    items: list([], `/v1/subscription_items?subscription=${id}`),
    latest_invoice: null,
    livemode: false,
    metadata: {},
    pause_collection: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: created,
    status,
    test_clock: null,
    trial_end: null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: 'now', missing_payment_method: 'create_invoice' },
    },
    trial_start: null,
  } satisfies Partial<Stripe.Subscription> as unknown as Stripe.Subscription
}

export function itemObject(
  id: string,
  created: Seconds,
  subscription: string,
  price: Stripe.Price,
  quantity: number,
  period: { start: Seconds; end: Seconds },
): Stripe.SubscriptionItem {
  return {
    id,
    object: 'subscription_item',
    billing_thresholds: null,
    created,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: {},
    price,
    quantity,
    subscription,
    tax_rates: [],
  } satisfies Partial<Stripe.SubscriptionItem> as unknown as Stripe.SubscriptionItem
}
