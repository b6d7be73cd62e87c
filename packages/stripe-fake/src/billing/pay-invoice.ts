import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import type { Emitter } from '../emitter.ts'
import { subscriptionOf, type Store } from '../store.ts'
import { attemptOf, collect, type Attempt } from './collect.ts'
import { settled } from './renewal.ts'

/** Pays one invoice, as the API or a customer on its page asks for. */
export function payInvoice(
  store: Store,
  emit: Emitter,
  invoice: Stripe.Invoice,
  attempt: Attempt = attemptOf(store.cards.get(invoice.customer as string)),
): Stripe.Invoice {
  if (invoice.status !== 'open') {
    throw new ApiError(400, `Invoice is ${invoice.status ?? 'not open'}: only an open one can be paid.`, {
      code: invoice.status === 'paid' ? 'invoice_already_paid' : 'invoice_not_editable',
    })
  }
  const outcome = collect(store, emit, invoice, attempt)
  if (outcome === 'failed')
    throw new ApiError(402, 'Your card was declined.', { type: 'card_error', code: 'card_declined' })
  if (outcome === 'requires_action') {
    throw new ApiError(402, 'This payment needs authentication by the customer.', {
      type: 'card_error',
      code: 'invoice_payment_intent_requires_action',
    })
  }
  const state = store.subscriptions.get(subscriptionOf(invoice) ?? '')
  if (state) settled(store, emit, state)
  return invoice
}
