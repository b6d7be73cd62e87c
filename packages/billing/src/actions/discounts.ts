import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { isRunning } from '../state/statuses.ts'
import { change } from './change.ts'
import { refusePlanned } from './planned-change.ts'

/**
 * Adds the discount of a promotion code, as a customer types it, to the subscription that runs. It counts from the next
 * invoice on; discounts that are there stay. The same code twice is one discount, and one that an invoice has had counts no
 * more: Stripe itself would take it again each month.
 * @throws Failure OUTGROW_BILLING_PROMOTION_CODE, OUTGROW_BILLING_PLANNED, OUTGROW_BILLING_CHANGE_PENDING,
 * OUTGROW_BILLING_NO_SUBSCRIPTION
 */
export async function redeemPromotionCode(billing: Billing, accountId: string, code: string): Promise<void> {
  await addDiscount(billing, accountId, async (stripe, customer) => {
    if (code === '') throw noSuchCode() // Stripe would take it for no filter
    const usable = await usableCode(stripe, code, customer)
    if (!usable) throw noSuchCode()
    return { promotion_code: usable.id }
  })
}

/** Another customer’s code is not found, and an expired one is not active. The same code may be many customers’, each for themselves. */
async function usableCode(
  stripe: Stripe,
  code: string,
  customer: string,
): Promise<Stripe.PromotionCode | undefined> {
  for await (const one of stripe.promotionCodes.list({ code, active: true, limit: 100 }))
    if (one.customer === null || idOf(one.customer) === customer) return one
  return undefined
}

/** Adds the discount of a coupon, as an operator gives it away. As `redeemPromotionCode` otherwise. */
export async function applyCoupon(billing: Billing, accountId: string, coupon: string): Promise<void> {
  await addDiscount(billing, accountId, () => Promise.resolve({ coupon }))
}

async function addDiscount(
  billing: Billing,
  accountId: string,
  find: (stripe: Stripe, customer: string) => Promise<{ promotion_code: string } | { coupon: string }>,
): Promise<void> {
  await change(billing, accountId, 'discount', isRunning, async ({ stripe, live, key }) => {
    // The phases of a schedule have discounts of their own.
    refusePlanned(live)
    const added = await find(stripe, idOf(live.customer))
    const kept =
      live.discounts.length > 0 ? live.discounts : await inheritedDiscounts(stripe, idOf(live.customer))
    if (kept.some((one) => isSame(one, added))) return
    if ('promotion_code' in added && (await wasUsed(stripe, idOf(live.customer), added.promotion_code)))
      throw noSuchCode()
    const discounts = [...kept.map(({ id }) => ({ discount: id })), added]
    try {
      await stripe.subscriptions.update(live.id, { discounts }, key('discount'))
    } catch (error) {
      if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
      throw noSuchCode(error)
    }
  })
}

/** A subscription without discounts of its own has its customer's, until it gets one: then that must be named beside it. */
async function inheritedDiscounts(stripe: Stripe, customer: string): Promise<Stripe.Discount[]> {
  const payer = await stripe.customers.retrieve(customer)
  return payer.deleted || !payer.discount ? [] : [payer.discount]
}

function isSame(
  { promotion_code: promotion, source }: Stripe.Discount,
  added: { promotion_code?: string; coupon?: string },
): boolean {
  if (added.promotion_code !== undefined)
    return promotion !== null && idOf(promotion) === added.promotion_code
  return source.coupon !== null && idOf(source.coupon) === added.coupon
}

/** Whether an invoice of the customer has had the discount of a promotion code. */
async function wasUsed(stripe: Stripe, customer: string, promotionCode: string): Promise<boolean> {
  for await (const { status, discounts } of stripe.invoices.list({
    customer,
    limit: 100,
    expand: ['data.discounts'],
  })) {
    if (status === 'void') continue
    for (const discount of discounts ?? []) {
      if (typeof discount === 'string' || !discount.promotion_code) continue
      if (idOf(discount.promotion_code) === promotionCode) return true
    }
  }
  return false
}

function idOf(object: string | { id: string }): string {
  return typeof object === 'string' ? object : object.id
}

function noSuchCode(cause?: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_PROMOTION_CODE',
    message: 'The code is unknown, has expired, was used before, or is not for this subscription.',
    fix: 'Ask for another code.',
    cause,
  })
}
