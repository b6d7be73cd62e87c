import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import { SubscriptionStatus } from '../state/statuses.ts'
import type { StoredSubscription } from '../store.ts'

/** What Checkout asks for and how it looks. Names and values are Stripe’s own. */
const passed = [
  'billing_address_collection',
  'branding_settings',
  'consent_collection',
  'custom_fields',
  'custom_text',
  'customer_update',
  'locale',
  'name_collection',
  'payment_method_collection',
  'phone_number_collection',
  'tax_id_collection',
] as const satisfies readonly (keyof Stripe.Checkout.SessionCreateParams)[]

type Params = Stripe.Checkout.SessionCreateParams

/** Stripe takes a code that the customer types, or a discount that is given: not both. */
type DiscountOptions =
  | { allow_promotion_codes?: boolean; discounts?: never }
  | { discounts?: Required<Params>['discounts']; allow_promotion_codes?: never }

/**
 * Options of `checkout.sessions.create` that leave alone who pays, for what, and how it is found again. Others are refused:
 * the customer, the lines, the mode and the references are createCheckout’s own.
 */
export type CheckoutOptions = Pick<Params, (typeof passed)[number]> & DiscountOptions

const allowed = new Set<string>([...passed, 'allow_promotion_codes', 'discounts'])

/**
 * The options as Stripe takes them.
 * @throws Failure OUTGROW_BILLING_CHECKOUT_OPTION for one that is not passed through, whatever the types said
 */
export function checkoutOptions(options: CheckoutOptions = {}): CheckoutOptions {
  const refused = Object.keys(options).filter((name) => !allowed.has(name))
  if (refused.length === 0) return withTaxIds(options)
  throw new Failure({
    code: 'OUTGROW_BILLING_CHECKOUT_OPTION',
    message: `Checkout’s ${refused.join(', ')} cannot be set.`,
    why: 'It could change who pays, for what, or how the payment is found again.',
    fix: `Leave it out. What can be set: ${[...allowed].toSorted().join(', ')}.`,
  })
}

/** Stripe asks a customer that is there for a tax id only if the business’s name may be kept. */
function withTaxIds(options: CheckoutOptions): CheckoutOptions {
  if (options.tax_id_collection?.enabled !== true) return options
  return { ...options, customer_update: { name: 'auto', ...options.customer_update } }
}

export interface Trial {
  days: number
  /**
   * Begins without a card. What is without one when the trial ends is paused, until the customer resumes it with a card, or
   * canceled. Without this setting Checkout asks for a card first.
   */
  withoutCard?: 'pause' | 'cancel' | undefined
  /** Also for whoever had a subscription before. */
  again?: boolean | undefined
}

/** What a trial is to Checkout: nothing for an account that had a subscription before. */
export function trialParams(
  trial: Trial | undefined,
  subscriptions: readonly Pick<StoredSubscription, 'status'>[],
): Pick<Params, 'subscription_data' | 'payment_method_collection'> {
  if (!trial || (trial.again !== true && subscriptions.some(hasBegun))) return {}
  const { days, withoutCard } = trial
  if (withoutCard === undefined) return { subscription_data: { trial_period_days: days } }
  return {
    payment_method_collection: 'if_required',
    subscription_data: {
      trial_period_days: days,
      trial_settings: { end_behavior: { missing_payment_method: withoutCard } },
    },
  }
}

/** A first payment that never went through was no use of it. */
function hasBegun({ status }: Pick<StoredSubscription, 'status'>): boolean {
  return status !== SubscriptionStatus.INCOMPLETE && status !== SubscriptionStatus.INCOMPLETE_EXPIRED
}
