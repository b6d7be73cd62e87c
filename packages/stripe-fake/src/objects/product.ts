import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'

export function productObject(id: string, created: Seconds, name: string): Stripe.Product {
  return {
    id,
    object: 'product',
    active: true,
    created,
    default_price: null,
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

export type Interval = 'day' | 'week' | 'month' | 'year'

export function priceObject(
  id: string,
  created: Seconds,
  product: string,
  amount: number,
  currency: string,
  recurring: { interval: Interval; interval_count: number },
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
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'recurring',
    unit_amount: amount,
  } satisfies Partial<Stripe.Price> as unknown as Stripe.Price
}
