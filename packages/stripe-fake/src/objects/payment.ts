import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'

export function paymentIntentObject(
  id: string,
  created: Seconds,
  { amount_due: amount, currency, customer }: Stripe.Invoice,
): Stripe.PaymentIntent {
  return {
    id,
    object: 'payment_intent',
    amount,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: `${id}_secret_fake`,
    confirmation_method: 'automatic',
    created,
    currency,
    customer: customer as string,
    description: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: {},
    next_action: null,
    payment_method: null,
    payment_method_types: ['card'],
    receipt_email: null,
    setup_future_usage: 'off_session',
    status: 'requires_payment_method',
  } satisfies Partial<Stripe.PaymentIntent> as unknown as Stripe.PaymentIntent
}

export function invoicePaymentObject(
  id: string,
  created: Seconds,
  invoice: Stripe.Invoice,
  intent: Stripe.PaymentIntent,
): Stripe.InvoicePayment {
  return {
    id,
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created,
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  } satisfies Stripe.InvoicePayment
}
