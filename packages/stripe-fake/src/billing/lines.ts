import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'
import type { Line } from '../objects/invoice.ts'
import type { Store } from '../store.ts'

/** One period of an item, as it is billed when it begins. */
export function periodLine(
  store: Store,
  item: Stripe.SubscriptionItem,
  period = { start: item.current_period_start, end: item.current_period_end },
): Line {
  const quantity = item.quantity ?? 1
  const each = `${amountText(item.price.unit_amount ?? 0, item.price.currency)} / ${item.price.recurring?.interval ?? 'month'}`
  return {
    ...factsOf(item, quantity),
    amount: (item.price.unit_amount ?? 0) * quantity,
    description: `${quantity} × ${store.productName(item.price)} (at ${each})`,
    period,
    proration: false,
  }
}

/** The part of an item's period that is left, given back (`sign: -1`) or charged. */
export function prorationLine(
  store: Store,
  item: Stripe.SubscriptionItem,
  { at, sign, share }: { at: Seconds; sign: 1 | -1; share: number },
): Line {
  const { current_period_start: start, current_period_end: end } = item
  const quantity = item.quantity ?? 1
  const whole = (item.price.unit_amount ?? 0) * quantity * share
  const left = end > start ? Math.max(0, end - at) / (end - start) : 0
  const name = `${quantity > 1 ? `${quantity} × ` : ''}${store.productName(item.price)}`
  return {
    ...factsOf(item, quantity),
    amount: sign * Math.round(whole * left) + 0,
    description: `${sign < 0 ? 'Unused' : 'Remaining'} time on ${name} after ${dateText(at)}`,
    period: { start: at, end },
    proration: true,
  }
}

function factsOf(item: Stripe.SubscriptionItem, quantity: number) {
  const { id, price, subscription } = item
  return { price, quantity, subscription, item: id, invoiceItem: null }
}

export function amountText(cents: number | null | undefined, currency = 'usd'): string {
  return `${((cents ?? 0) / 100).toFixed(2)} ${currency.toUpperCase()}`
}

export function dateText(at: Seconds): string {
  return new Date(at * 1000).toISOString().slice(0, 10)
}
