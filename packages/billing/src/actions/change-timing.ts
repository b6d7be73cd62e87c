import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'

/** A price and how many of it. */
export interface PricedLine {
  price: Pick<Stripe.Price, 'id' | 'unit_amount' | 'unit_amount_decimal' | 'currency'>
  quantity: number
}

/**
 * When a change is made, by what one period costs before and after: a dearer one now, a cheaper one when what is paid has been
 * used. Names of plans decide nothing.
 * @param unpaid nothing has been paid for the period, as on a trial: then every change is made now
 * @throws Failure OUTGROW_BILLING_PLAN when two prices cannot be compared
 */
export function timingOf(from: PricedLine, to: PricedLine, unpaid: boolean): 'none' | 'now' | 'period-end' {
  if (from.price.id === to.price.id) {
    if (from.quantity === to.quantity) return 'none'
    return unpaid || to.quantity > from.quantity ? 'now' : 'period-end'
  }
  const isComparable = from.price.currency === to.price.currency
  if (unpaid && isComparable) return 'now'
  const before = amountOf(from)
  const after = amountOf(to)
  if (before === undefined || after === undefined || !isComparable) {
    throw new Failure({
      code: 'OUTGROW_BILLING_PLAN',
      message: `Prices ${from.price.id} and ${to.price.id} cannot be compared: they differ in currency, or one has tiers.`,
      fix: 'Change it in Stripe’s dashboard.',
    })
  }
  return after >= before ? 'now' : 'period-end'
}

/** What a period of it costs, in the currency's smallest unit; undefined with tiers. */
export function amountOf({ price, quantity }: PricedLine): number | undefined {
  const unit = price.unit_amount ?? price.unit_amount_decimal
  return unit === null || unit === undefined ? undefined : Number(unit) * quantity
}
