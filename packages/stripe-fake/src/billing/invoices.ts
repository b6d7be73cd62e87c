import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import { invoiceItemObject, invoiceObject, lineObject, type Line } from '../objects/invoice.ts'
import { invoicePaymentObject, paymentIntentObject } from '../objects/payment.ts'
import { type Store, type SubscriptionState } from '../store.ts'
import { couponOf, discountLines, endDiscount } from './discounts.ts'

export interface Bill {
  customer: string
  /** Undefined in the preview of one that does not exist yet. */
  subscription: Stripe.Subscription | undefined
  reason: Stripe.Invoice.BillingReason
  lines: Line[]
  /** Coupons that a preview tries, beside the subscription's own. */
  tried?: Stripe.Coupon[]
}

/** The invoice of a bill as a draft. Nothing is stored: a preview ends here. */
export function draftInvoice(
  store: Store,
  bill: Bill,
  id: string,
  newId: (prefix: string) => string,
): Stripe.Invoice {
  const { customer, subscription, reason, tried = [] } = bill
  const pending = pendingItems(store, subscription)
  const lines = [...pending.map((item) => lineOf(store, item)), ...bill.lines].map((line) =>
    lineObject(newId('il'), id, line),
  )
  const discounts = [
    ...(subscription?.discounts ?? []).flatMap((discount) => {
      const coupon = couponOf(store, discount as string)
      return coupon ? [{ id: discount as string, coupon }] : []
    }),
    ...tried.map((coupon) => ({ id: newId('di'), coupon })),
  ]
  const discountAmounts = discountLines(lines, discounts).filter(({ amount }) => amount > 0)
  return invoiceObject({
    id,
    created: store.now,
    customer: store.customer(customer),
    currency: bill.lines[0]?.price.currency ?? subscription?.currency ?? 'usd',
    subscription,
    reason,
    lines,
    discounts: discounts.map((discount) => discount.id),
    discountAmounts,
  })
}

/** Makes the invoice of a bill: with a number and a page, open, and with something that pays it. */
export function openInvoice(
  store: Store,
  emit: Emitter,
  { object }: SubscriptionState,
  lines: Line[],
  reason: Stripe.Invoice.BillingReason,
): Stripe.Invoice {
  const customer = object.customer as string
  const bill = { customer, subscription: object, reason, lines }
  const invoice = draftInvoice(store, bill, store.id('in'), store.id)
  for (const item of pendingItems(store, object)) item.invoice = invoice.id
  store.invoices.set(invoice.id, invoice)
  object.latest_invoice = invoice.id
  finalize(store, invoice)
  for (const discount of invoice.discounts as string[]) {
    if (couponOf(store, discount)?.duration === 'once') endDiscount(store, emit, object, discount)
  }
  return invoice
}

function finalize(store: Store, invoice: Stripe.Invoice): void {
  const customer = store.customer(invoice.customer as string)
  invoice.status = 'open'
  invoice.number = `${customer.invoice_prefix}-${store.count(`number of ${customer.id}`, 4)}`
  invoice.effective_at = store.now
  invoice.status_transitions.finalized_at = store.now
  invoice.hosted_invoice_url = `${store.baseUrl}/invoice/${invoice.id}`
  invoice.invoice_pdf = `${store.baseUrl}/invoice/${invoice.id}/pdf`
  // Credit that was used is gone; a negative total is credit from now on.
  customer.balance = invoice.starting_balance + (invoice.total - invoice.amount_due)
  invoice.ending_balance = customer.balance
  if (invoice.amount_due === 0) return
  const intent = paymentIntentObject(invoice.id.replace(/^in_/, 'pi_'), store.now, invoice)
  store.paymentIntents.set(intent.id, intent)
  const payment = invoicePaymentObject(invoice.id.replace(/^in_/, 'inpay_'), store.now, invoice, intent)
  store.invoicePayments.set(payment.id, payment)
}

/** Amounts that wait for the subscription's next invoice. */
export function pendingItems(
  store: Store,
  subscription: Stripe.Subscription | undefined,
): Stripe.InvoiceItem[] {
  if (subscription === undefined) return []
  return [...store.invoiceItems.values()].filter(
    ({ invoice, parent }) =>
      invoice === null && parent?.subscription_details?.subscription === subscription.id,
  )
}

export function addPending(store: Store, customer: string, lines: Line[]): void {
  for (const line of lines) {
    const item = invoiceItemObject(store.id('ii'), store.now, customer, line)
    store.invoiceItems.set(item.id, item)
  }
}

function lineOf(store: Store, item: Stripe.InvoiceItem): Line {
  const { subscription, subscription_item: subscriptionItem } = item.parent?.subscription_details ?? {}
  return {
    amount: item.amount,
    description: item.description ?? '',
    price: store.price(item.pricing?.price_details?.price as string),
    quantity: item.quantity,
    period: item.period,
    subscription,
    item: subscriptionItem ?? '',
    proration: item.proration,
    invoiceItem: item.id,
  }
}

/** The invoice's end without money. */
export function closeInvoice(
  store: Store,
  emit: Emitter,
  invoice: Stripe.Invoice,
  status: 'void' | 'uncollectible',
): void {
  invoice.status = status
  invoice.next_payment_attempt = null
  invoice.auto_advance = false
  if (status === 'void') invoice.status_transitions.voided_at = store.now
  else invoice.status_transitions.marked_uncollectible_at = store.now
  emit(status === 'void' ? 'invoice.voided' : 'invoice.marked_uncollectible', invoice)
}

export function voidOpenInvoices(store: Store, emit: Emitter, subscription: string): void {
  for (const invoice of openInvoicesOf(store, subscription)) closeInvoice(store, emit, invoice, 'void')
}

export function openInvoicesOf(store: Store, subscription: string): Stripe.Invoice[] {
  return store.invoicesOf(subscription).filter(({ status }) => status === 'open')
}

/** When the next attempt is made shows on the invoice. */
export function showNextAttempt(store: Store, subscription: string, at: Seconds | undefined): void {
  for (const invoice of openInvoicesOf(store, subscription)) invoice.next_payment_attempt = at ?? null
}
