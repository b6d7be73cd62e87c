import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'

export type CouponFacts = Pick<
  Stripe.Coupon,
  'amount_off' | 'currency' | 'percent_off' | 'duration' | 'duration_in_months' | 'name'
> & { max_redemptions: number | null; redeem_by: Seconds | null; metadata: Record<string, string> }

export function couponObject(id: string, created: Seconds, facts: CouponFacts): Stripe.Coupon {
  return {
    id,
    object: 'coupon',
    created,
    livemode: false,
    ...facts,
    times_redeemed: 0,
    valid: true,
  } satisfies Stripe.Coupon
}

export type PromotionCodeFacts = Pick<
  Stripe.PromotionCode,
  'code' | 'active' | 'expires_at' | 'max_redemptions' | 'restrictions'
> & { coupon: string; customer: string | null; metadata: Record<string, string> }

export function promotionCodeObject(
  id: string,
  created: Seconds,
  { coupon, ...facts }: PromotionCodeFacts,
): Stripe.PromotionCode {
  return {
    id,
    object: 'promotion_code',
    created,
    customer_account: null,
    livemode: false,
    promotion: { coupon, type: 'coupon' },
    times_redeemed: 0,
    ...facts,
  } satisfies Stripe.PromotionCode
}

export function discountObject(
  id: string,
  facts: Pick<Stripe.Discount, 'customer' | 'subscription' | 'start' | 'end' | 'checkout_session'> & {
    coupon: string
    promotion_code: string | null
  },
): Stripe.Discount {
  const { coupon, ...others } = facts
  return {
    id,
    object: 'discount',
    customer_account: null,
    invoice: null,
    invoice_item: null,
    source: { coupon, type: 'coupon' },
    subscription_item: null,
    ...others,
  } satisfies Stripe.Discount
}
