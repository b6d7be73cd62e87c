import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import { addMonths } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import { discountObject } from '../objects/discount.ts'
import { known, type Store } from '../store.ts'

/** A coupon, a promotion code, or a discount that is there already, as requests name them. */
export interface DiscountRequest {
  discount?: string | undefined
  coupon?: string | undefined
  promotion_code?: string | undefined
}

export interface Redeemable {
  coupon: Stripe.Coupon
  promotionCode: Stripe.PromotionCode | undefined
}

/** What a request names, if it can be redeemed now. */
export function redeemable(store: Store, customer: string | null, request: DiscountRequest): Redeemable {
  if (request.promotion_code === undefined) {
    if (request.coupon === undefined) {
      throw new ApiError(400, 'Pass a coupon or a promotion_code.', { param: 'discounts' })
    }
    const coupon = known(store.coupons, 'coupon', request.coupon)
    checkCoupon(store, coupon)
    return { coupon, promotionCode: undefined }
  }
  const promotionCode = known(store.promotionCodes, 'promotion code', request.promotion_code)
  checkPromotionCode(store, customer, promotionCode)
  const coupon = known(store.coupons, 'coupon', promotionCode.promotion.coupon as string)
  checkCoupon(store, coupon)
  return { coupon, promotionCode }
}

/** @throws ApiError where there is no such discount, or nothing that can be redeemed now */
export function checkDiscount(store: Store, customer: string | null, request: DiscountRequest): void {
  if (request.discount === undefined) redeemable(store, customer, request)
  else known(store.discounts, 'discount', request.discount)
}

/** Which of several requests can be redeemed now. */
export function isRedeemable(store: Store, { customer }: Stripe.Subscription) {
  return (request: DiscountRequest): boolean => {
    try {
      checkDiscount(store, customer as string, request)
      return true
    } catch (error) {
      if (error instanceof ApiError) return false
      throw error
    }
  }
}

function checkCoupon(store: Store, coupon: Stripe.Coupon): void {
  if (coupon.redeem_by !== null && coupon.redeem_by <= store.now) coupon.valid = false
  if (coupon.valid) return
  throw new ApiError(400, `Coupon expired: ${coupon.id}`, { code: 'coupon_expired', param: 'coupon' })
}

function checkPromotionCode(store: Store, customer: string | null, code: Stripe.PromotionCode): void {
  if (code.expires_at !== null && code.expires_at <= store.now) code.active = false
  const refuse = (why: string) =>
    new ApiError(400, `This promotion code cannot be redeemed because ${why}.`, { param: 'promotion_code' })
  if (!code.active) throw refuse('it is expired or has been used up')
  if (code.customer !== null && code.customer !== customer) throw refuse('it belongs to another customer')
  const hasPaid = [...store.charges.values()].some((charge) => charge.customer === customer)
  if (code.restrictions.first_time_transaction && hasPaid) throw refuse('the customer has paid before')
}

/** The code that a customer typed into a page; undefined when there is none that is active. */
export function promotionCodeOf(store: Store, code: string): Stripe.PromotionCode | undefined {
  const wanted = code.trim().toLowerCase()
  return [...store.promotionCodes.values()].find((one) => one.active && one.code.toLowerCase() === wanted)
}

/** Counts a redemption and gives it to a subscription. */
export function redeem(
  store: Store,
  emit: Emitter,
  subscription: Stripe.Subscription,
  requests: DiscountRequest[],
  session: string | null = null,
): void {
  const customer = subscription.customer as string
  const found = requests.map((one) => ({
    kept: one.discount === undefined ? undefined : known(store.discounts, 'discount', one.discount),
    made: one.discount === undefined ? redeemable(store, customer, one) : undefined,
  }))
  for (const { kept, made } of found) {
    if (kept) subscription.discounts = [...subscription.discounts, kept.id]
    if (!made) continue
    const { coupon, promotionCode } = made
    const { duration, duration_in_months: months } = coupon
    const discount = discountObject(store.id('di'), {
      coupon: coupon.id,
      promotion_code: promotionCode?.id ?? null,
      customer,
      subscription: subscription.id,
      checkout_session: session,
      start: store.now,
      end: duration === 'repeating' ? addMonths(store.now, months ?? 1) : null,
    })
    store.discounts.set(discount.id, discount)
    subscription.discounts = [...subscription.discounts, discount.id]
    if (isUsedUp(coupon)) coupon.valid = false
    if (promotionCode && isUsedUp(promotionCode)) promotionCode.active = false
    emit('customer.discount.created', discount)
  }
}

/** Counts a redemption. Returns whether it was the last. */
function isUsedUp(counted: { times_redeemed: number; max_redemptions: number | null }): boolean {
  counted.times_redeemed++
  return counted.max_redemptions !== null && counted.times_redeemed >= counted.max_redemptions
}

export function endDiscount(
  store: Store,
  emit: Emitter,
  subscription: Stripe.Subscription,
  id: string,
): void {
  const discount = store.discounts.get(id)
  subscription.discounts = subscription.discounts.filter((one) => one !== id)
  if (discount) emit('customer.discount.deleted', discount)
}

export function couponOf(store: Store, discount: string): Stripe.Coupon | undefined {
  return store.coupons.get(store.discounts.get(discount)?.source.coupon as string)
}

/** What is left of a price under the percentages that go on: prorations are billed without their discount. */
export function netShare(store: Store, { discounts }: Stripe.Subscription): number {
  return discounts
    .map((id) => couponOf(store, id as string))
    .filter((coupon) => coupon !== undefined && coupon.duration !== 'once')
    .reduce((share, coupon) => share * (1 - (coupon?.percent_off ?? 0) / 100), 1)
}

/** Takes discounts off the lines, one after the other. Returns what each took in all. */
export function discountLines(
  lines: Stripe.InvoiceLineItem[],
  discounts: { id: string; coupon: Stripe.Coupon }[],
): { amount: number; discount: string }[] {
  const left = lines.map(({ amount, discountable }) => (discountable ? Math.max(0, amount) : 0))
  return discounts.map(({ id, coupon }) => {
    const open = lines.flatMap((line, at) => ((left[at] ?? 0) > 0 ? [{ line, at }] : []))
    const sum = left.reduce((total, amount) => total + amount, 0)
    const off = Math.min(sum, coupon.amount_off ?? Math.round((sum * (coupon.percent_off ?? 0)) / 100))
    let rest = off
    for (const [nth, { line, at }] of open.entries()) {
      const has = left[at] ?? 0
      const taken = nth === open.length - 1 ? rest : Math.min(rest, Math.floor((off * has) / sum))
      rest -= taken
      left[at] = has - taken
      line.discounts = [...line.discounts, id]
      line.discount_amounts = [...(line.discount_amounts ?? []), { amount: taken, discount: id }]
    }
    return { amount: off, discount: id }
  })
}
