import type { Stripe } from 'stripe'
import type { SubscriptionState } from '../store.ts'
import { list } from './list.ts'

const nested = 10

/** A copy whose items are cut to a page, as the API nests them. */
export function shownSubscription({ object }: Pick<SubscriptionState, 'object'>): Stripe.Subscription {
  const items = object.items.data
  return { ...object, items: list(items.slice(0, nested), object.items.url, items.length > nested) }
}

export function shownInvoice(invoice: Stripe.Invoice): Stripe.Invoice {
  const lines = invoice.lines.data
  return { ...invoice, lines: list(lines.slice(0, nested), invoice.lines.url, lines.length > nested) }
}
