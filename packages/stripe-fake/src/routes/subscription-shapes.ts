import type { Stripe } from 'stripe'
import { z } from 'zod'
import { atLeast, flag, integer, metadata, oneOf, rows, shape, text, type Fields } from '../api/shapes.ts'

/** What several routes take in the same form. */

export const now = z.literal('now')

export const prorationBehavior = oneOf<Stripe.SubscriptionUpdateParams.ProrationBehavior>()(
  'always_invoice',
  'create_prorations',
  'none',
)

export const paymentBehavior = oneOf<Stripe.SubscriptionUpdateParams.PaymentBehavior>()(
  'allow_incomplete',
  'default_incomplete',
  'error_if_incomplete',
  'pending_if_incomplete',
)

export const cancelAt = oneOf<Stripe.SubscriptionUpdateParams.CancelAt>()(
  'max_period_end',
  'min_period_end',
).or(integer)

export const itemRows = rows(
  shape({
    id: text.optional(),
    price: text.optional(),
    quantity: atLeast(0).optional(),
    deleted: flag.optional(),
    metadata: metadata.optional(),
  } satisfies Fields<Stripe.SubscriptionUpdateParams.Item>),
)

export const discountRows = rows(
  shape({
    coupon: text.optional(),
    discount: text.optional(),
    promotion_code: text.optional(),
  } satisfies Fields<Stripe.SubscriptionUpdateParams.Discount>),
)

export const trialSettings = shape({
  end_behavior: shape({
    missing_payment_method:
      oneOf<Stripe.SubscriptionCreateParams.TrialSettings.EndBehavior.MissingPaymentMethod>()(
        'cancel',
        'create_invoice',
        'pause',
      ),
  } satisfies Fields<Stripe.SubscriptionCreateParams.TrialSettings.EndBehavior>),
} satisfies Fields<Stripe.SubscriptionCreateParams.TrialSettings>)
