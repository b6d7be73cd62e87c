import type { Stripe } from 'stripe'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { isWithin, pageOf } from '../api/page.ts'
import {
  atLeast,
  decimal,
  flag,
  integer,
  metadata,
  nothing,
  oneOf,
  paging,
  range,
  shape,
  text,
  type Fields,
} from '../api/shapes.ts'
import { couponObject, promotionCodeObject } from '../objects/discount.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'

/** Coupons and promotion codes. */
export function discountRoutes({ store }: StripeState, api: Api): void {
  api(
    'post',
    '/v1/coupons',
    shape({
      id: text.optional(),
      name: text.optional(),
      amount_off: atLeast(1).optional(),
      currency: text.optional(),
      percent_off: decimal.optional(),
      duration: oneOf<Stripe.CouponCreateParams.Duration>()('forever', 'once', 'repeating').optional(),
      duration_in_months: atLeast(1).optional(),
      max_redemptions: atLeast(1).optional(),
      redeem_by: integer.optional(),
      metadata: metadata.optional(),
    } satisfies Fields<Stripe.CouponCreateParams>),
    ({ params }) => {
      const { amount_off: amount, percent_off: percent, currency, duration = 'once' } = params
      if ((amount === undefined) === (percent === undefined)) {
        throw new ApiError(400, 'You must pass either amount_off or percent_off, and not both.')
      }
      if (amount !== undefined && currency === undefined) {
        throw new ApiError(400, 'Missing required param: currency.', {
          code: 'parameter_missing',
          param: 'currency',
        })
      }
      if ((duration === 'repeating') !== (params.duration_in_months !== undefined)) {
        throw new ApiError(400, 'duration_in_months goes with duration=repeating, and only with it.', {
          param: 'duration_in_months',
        })
      }
      const id = params.id ?? store.id('coupon')
      if (store.coupons.has(id)) {
        throw new ApiError(400, 'Coupon already exists.', { code: 'resource_already_exists', param: 'id' })
      }
      const coupon = couponObject(id, store.now, {
        amount_off: amount ?? null,
        currency: currency ?? null,
        percent_off: percent ?? null,
        duration,
        duration_in_months: params.duration_in_months ?? null,
        name: params.name ?? null,
        max_redemptions: params.max_redemptions ?? null,
        redeem_by: params.redeem_by ?? null,
        metadata: params.metadata ?? {},
      })
      store.coupons.set(id, coupon)
      return coupon
    },
  )
  api(
    'get',
    '/v1/coupons',
    shape({ ...paging, created: range.optional() } satisfies Fields<Stripe.CouponListParams>),
    ({ params }) =>
      pageOf(
        store.coupons.values(),
        ({ created }) => isWithin(created, params.created),
        '/v1/coupons',
        params,
      ),
  )
  api('get', '/v1/coupons/:id', nothing, ({ id }) => known(store.coupons, 'coupon', id))
  api('delete', '/v1/coupons/:id', nothing, ({ id }) => {
    // Who has it keeps it: their discounts know the coupon.
    known(store.coupons, 'coupon', id).valid = false
    return { id, object: 'coupon', deleted: true }
  })
  api(
    'post',
    '/v1/promotion_codes',
    shape({
      promotion: shape({
        type: oneOf<Stripe.PromotionCodeCreateParams.Promotion['type']>()('coupon'),
        coupon: text,
      } satisfies Fields<Stripe.PromotionCodeCreateParams.Promotion>),
      code: text.optional(),
      active: flag.optional(),
      customer: text.optional(),
      expires_at: integer.optional(),
      max_redemptions: atLeast(1).optional(),
      metadata: metadata.optional(),
      restrictions: shape({
        first_time_transaction: flag.optional(),
      } satisfies Fields<Stripe.PromotionCodeCreateParams.Restrictions>).optional(),
    } satisfies Fields<Stripe.PromotionCodeCreateParams>),
    ({ params }) => {
      const coupon = known(store.coupons, 'coupon', params.promotion.coupon)
      const code = params.code ?? `FAKE${store.count('promotion code', 4)}`
      const promotionCode = promotionCodeObject(store.id('promo'), store.now, {
        code,
        coupon: coupon.id,
        active: params.active ?? true,
        customer: params.customer === undefined ? null : store.customer(params.customer).id,
        expires_at: params.expires_at ?? null,
        max_redemptions: params.max_redemptions ?? null,
        metadata: params.metadata ?? {},
        restrictions: {
          first_time_transaction: params.restrictions?.first_time_transaction ?? false,
          minimum_amount: null,
          minimum_amount_currency: null,
        },
      })
      store.promotionCodes.set(promotionCode.id, promotionCode)
      return promotionCode
    },
  )
  api(
    'get',
    '/v1/promotion_codes',
    shape({
      ...paging,
      active: flag.optional(),
      code: text.optional(),
      coupon: text.optional(),
      customer: text.optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.PromotionCodeListParams>),
    ({ params }) =>
      pageOf(
        store.promotionCodes.values(),
        (one) =>
          (params.active === undefined || one.active === params.active) &&
          (params.code === undefined || one.code.toLowerCase() === params.code.toLowerCase()) &&
          (params.coupon === undefined || one.promotion.coupon === params.coupon) &&
          (params.customer === undefined || one.customer === params.customer) &&
          isWithin(one.created, params.created),
        '/v1/promotion_codes',
        params,
      ),
  )
  api('get', '/v1/promotion_codes/:id', nothing, ({ id }) =>
    known(store.promotionCodes, 'promotion code', id),
  )
  api(
    'post',
    '/v1/promotion_codes/:id',
    shape({ active: flag.optional() } satisfies Fields<Stripe.PromotionCodeUpdateParams>),
    ({ id, params }) => Object.assign(known(store.promotionCodes, 'promotion code', id), params),
  )
}
