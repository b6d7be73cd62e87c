import type { Stripe } from 'stripe'
import type { Seconds } from './clock.ts'

/**
 * Objects as the API shows them. Fields that this stand-in gives no meaning are left out, so the casts: what is written
 * is held against stripe-node's types with `satisfies`.
 */

export function customerObject(id: string, created: Seconds, email: string | null): Stripe.Customer {
  return {
    id,
    object: 'customer',
    balance: 0,
    created,
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    email,
    livemode: false,
    metadata: {},
    name: null,
    shipping: null,
  } satisfies Partial<Stripe.Customer> as unknown as Stripe.Customer
}

export function productObject(id: string, created: Seconds, name: string): Stripe.Product {
  return {
    id,
    object: 'product',
    active: true,
    created,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    name,
    type: 'service',
    updated: created,
    url: null,
  } satisfies Partial<Stripe.Product> as unknown as Stripe.Product
}

export function priceObject(
  id: string,
  created: Seconds,
  product: string,
  amount: number,
  currency: string,
  recurring: { interval: 'month' | 'year'; interval_count: number },
): Stripe.Price {
  return {
    id,
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created,
    currency,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product,
    recurring: { ...recurring, meter: null, trial_period_days: null, usage_type: 'licensed' },
    type: 'recurring',
    unit_amount: amount,
  } satisfies Partial<Stripe.Price> as unknown as Stripe.Price
}

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
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: null,
    collection_method: 'charge_automatically',
    created,
    currency: 'usd',
    customer,
    default_payment_method: null,
    ended_at: null,
    items: list([], `/v1/subscription_items?subscription=${id}`),
    latest_invoice: null,
    livemode: false,
    metadata: {},
    pause_collection: null,
    start_date: created,
    status,
    trial_end: null,
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
    created,
    current_period_end: period.end,
    current_period_start: period.start,
    discounts: [],
    metadata: {},
    price,
    quantity,
    subscription,
    tax_rates: [],
  } satisfies Partial<Stripe.SubscriptionItem> as unknown as Stripe.SubscriptionItem
}

export function invoiceObject(
  id: string,
  created: Seconds,
  subscription: Stripe.Subscription,
  amount: number,
  reason: Stripe.Invoice.BillingReason,
): Stripe.Invoice {
  return {
    id,
    object: 'invoice',
    amount_due: amount,
    amount_paid: 0,
    amount_remaining: amount,
    attempt_count: 0,
    attempted: false,
    billing_reason: reason,
    collection_method: 'charge_automatically',
    created,
    currency: subscription.currency,
    customer: subscription.customer as string,
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    parent: {
      type: 'subscription_details',
      quote_details: null,
      subscription_details: { metadata: null, subscription: subscription.id },
    },
    status: 'open',
    subtotal: amount,
    total: amount,
  } satisfies Partial<Stripe.Invoice> as unknown as Stripe.Invoice
}

export function chargeObject(id: string, created: Seconds, invoice: Stripe.Invoice): Stripe.Charge {
  return {
    id,
    object: 'charge',
    amount: invoice.amount_due,
    amount_captured: invoice.amount_due,
    amount_refunded: 0,
    captured: true,
    created,
    currency: invoice.currency,
    customer: invoice.customer as string,
    disputed: false,
    livemode: false,
    metadata: {},
    paid: true,
    payment_intent: id.replace('ch_', 'pi_'),
    refunded: false,
    status: 'succeeded',
  } satisfies Partial<Stripe.Charge> as unknown as Stripe.Charge
}

export function refundObject(
  id: string,
  created: Seconds,
  charge: Stripe.Charge,
  amount: number,
): Stripe.Refund {
  return {
    id,
    object: 'refund',
    amount,
    charge: charge.id,
    created,
    currency: charge.currency,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: null,
    status: 'succeeded',
  } satisfies Partial<Stripe.Refund> as unknown as Stripe.Refund
}

export function disputeObject(id: string, created: Seconds, charge: Stripe.Charge): Stripe.Dispute {
  return {
    id,
    object: 'dispute',
    amount: charge.amount,
    charge: charge.id,
    created,
    currency: charge.currency,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: 'fraudulent',
    status: 'needs_response',
  } satisfies Partial<Stripe.Dispute> as unknown as Stripe.Dispute
}

/** A page of a list. */
export function list<Item>(data: Item[], url: string, hasMore = false): Stripe.ApiList<Item> {
  return { object: 'list', data, has_more: hasMore, url }
}
