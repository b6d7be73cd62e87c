import type { Stripe } from 'stripe'
import type { Emitter } from '../emitter.ts'
import { chargeObject } from '../objects/charge.ts'
import type { Card, Store } from '../store.ts'

/** How an attempt to take the money ends. */
export type Attempt = 'paid' | 'failed' | 'requires_action'

export function attemptOf(card: Card | undefined): Attempt {
  if (card === 'authenticates') return 'requires_action'
  return card === 'fails' || card === 'none' ? 'failed' : 'paid'
}

/** Tries to take the money of an open invoice. What it needs no money for is paid. */
export function collect(
  store: Store,
  emit: Emitter,
  invoice: Stripe.Invoice,
  attempt: Attempt = attemptOf(store.cards.get(invoice.customer as string)),
): Attempt {
  invoice.attempted = true
  invoice.attempt_count++
  if (invoice.amount_due === 0 || attempt === 'paid') {
    markPaid(store, emit, invoice)
    return 'paid'
  }
  const intent = intentOf(store, invoice)
  if (intent) {
    intent.status = attempt === 'failed' ? 'requires_payment_method' : 'requires_action'
    intent.last_payment_error = declineOf(attempt)
    intent.next_action =
      attempt === 'failed'
        ? null
        : {
            type: 'redirect_to_url',
            redirect_to_url: { return_url: null, url: `${store.baseUrl}/challenge/${intent.id}` },
          }
  }
  emit('invoice.payment_failed', invoice)
  if (attempt === 'requires_action') emit('invoice.payment_action_required', invoice)
  return attempt
}

function declineOf(attempt: Attempt): Stripe.PaymentIntent.LastPaymentError {
  return attempt === 'failed'
    ? { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' }
    : { type: 'card_error', code: 'authentication_required', message: 'This payment needs authentication.' }
}

function markPaid(store: Store, emit: Emitter, invoice: Stripe.Invoice): void {
  invoice.status = 'paid'
  invoice.amount_paid = invoice.amount_due
  invoice.amount_remaining = 0
  invoice.next_payment_attempt = null
  invoice.status_transitions.paid_at = store.now
  const payment = paymentOf(store, invoice.id)
  const intent = intentOf(store, invoice)
  if (payment && intent) {
    const id = store.id('ch')
    const charge = chargeObject(id, store.now, invoice, intent.id, `${store.baseUrl}/receipt/${id}`)
    store.charges.set(charge.id, charge)
    Object.assign(intent, {
      amount_received: intent.amount,
      last_payment_error: null,
      latest_charge: charge.id,
      next_action: null,
      status: 'succeeded',
    } satisfies Partial<Stripe.PaymentIntent>)
    payment.status = 'paid'
    payment.amount_paid = invoice.amount_due
    payment.status_transitions.paid_at = store.now
  }
  emit('invoice.paid', invoice)
}

/** Its ids follow the invoice's, which has one payment at most. */
export function paymentOf(store: Store, invoice: string): Stripe.InvoicePayment | undefined {
  return store.invoicePayments.get(invoice.replace(/^in_/, 'inpay_'))
}

export function intentOf(store: Store, { id }: Stripe.Invoice): Stripe.PaymentIntent | undefined {
  return store.paymentIntents.get(id.replace(/^in_/, 'pi_'))
}
