import type { Stripe } from 'stripe'
import type { Emitter } from './emitter.ts'
import { chargeObject, invoiceObject } from './objects.ts'
import type { Store, SubscriptionState } from './store.ts'

export function openInvoice(
  store: Store,
  { object }: SubscriptionState,
  amount: number,
  reason: Stripe.Invoice.BillingReason,
): Stripe.Invoice {
  const invoice = invoiceObject(store.id('in'), store.now, object, amount, reason)
  store.invoices.set(invoice.id, invoice)
  object.latest_invoice = invoice.id
  return invoice
}

/** Tries to take the money. Returns whether the invoice is paid. */
export function collect(
  store: Store,
  emit: Emitter,
  invoice: Stripe.Invoice,
  pays = store.cards.get(invoice.customer as string) !== 'fails',
): boolean {
  invoice.attempted = true
  invoice.attempt_count++
  if (invoice.amount_due > 0 && !pays) {
    emit('invoice.payment_failed', invoice)
    return false
  }
  invoice.status = 'paid'
  invoice.amount_paid = invoice.amount_due
  invoice.amount_remaining = 0
  if (invoice.amount_due > 0) {
    const charge = chargeObject(store.id('ch'), store.now, invoice)
    store.charges.set(charge.id, charge)
  }
  emit('invoice.paid', invoice)
  return true
}

export function voidOpenInvoices(store: Store, subscription: string): void {
  for (const invoice of store.invoicesOf(subscription)) if (invoice.status === 'open') invoice.status = 'void'
}
