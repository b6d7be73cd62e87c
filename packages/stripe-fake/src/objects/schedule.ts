import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'

export function scheduleObject(
  id: string,
  created: Seconds,
  facts: Pick<
    Stripe.SubscriptionSchedule,
    'customer' | 'end_behavior' | 'phases' | 'status' | 'subscription'
  > & {
    metadata: Record<string, string>
  },
): Stripe.SubscriptionSchedule {
  return {
    id,
    object: 'subscription_schedule',
    application: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    canceled_at: null,
    completed_at: null,
    created,
    current_phase: null,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      billing_cycle_anchor: 'automatic',
      billing_thresholds: null,
      collection_method: 'charge_automatically',
      default_payment_method: null,
      description: null,
      invoice_settings: {
        account_tax_ids: null,
        custom_fields: null,
        days_until_due: null,
        description: null,
        footer: null,
        issuer: { type: 'self' },
      },
      on_behalf_of: null,
      transfer_data: null,
    },
    livemode: false,
    pause_schedules: [],
    released_at: null,
    released_subscription: null,
    test_clock: null,
    ...facts,
  } satisfies Stripe.SubscriptionSchedule
}

export interface PhaseFacts {
  start: Seconds
  end: Seconds
  items: { price: string; quantity: number }[]
  currency: string
  prorationBehavior: Stripe.SubscriptionSchedule.Phase.ProrationBehavior
  discounts: Stripe.SubscriptionSchedule.Phase.Discount[]
  metadata: Record<string, string>
  trialEnd: Seconds | null
}

export function phaseObject(facts: PhaseFacts): Stripe.SubscriptionSchedule.Phase {
  return {
    add_invoice_items: [],
    application_fee_percent: null,
    billing_cycle_anchor: null,
    billing_thresholds: null,
    collection_method: null,
    currency: facts.currency,
    default_payment_method: null,
    description: null,
    discounts: facts.discounts,
    end_date: facts.end,
    invoice_settings: null,
    items: facts.items.map(({ price, quantity }) => ({
      billing_thresholds: null,
      discounts: [],
      metadata: {},
      plan: price,
      price,
      quantity,
    })),
    metadata: facts.metadata,
    on_behalf_of: null,
    proration_behavior: facts.prorationBehavior,
    start_date: facts.start,
    transfer_data: null,
    trial_end: facts.trialEnd,
  } satisfies Stripe.SubscriptionSchedule.Phase
}
