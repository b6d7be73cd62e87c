import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'

export function chargeObject(
  id: string,
  created: Seconds,
  { amount_due: amount, currency, customer }: Stripe.Invoice,
  paymentIntent: string,
  receiptUrl: string,
): Stripe.Charge {
  return {
    id,
    object: 'charge',
    amount,
    amount_captured: amount,
    amount_refunded: 0,
    captured: true,
    created,
    currency,
    customer: customer as string,
    description: null,
    disputed: false,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: {},
    paid: true,
    payment_intent: paymentIntent,
    payment_method: null,
    receipt_email: null,
    receipt_number: null,
    receipt_url: receiptUrl,
    refunded: false,
    status: 'succeeded',
  } satisfies Partial<Stripe.Charge> as unknown as Stripe.Charge
}

export function refundObject(
  id: string,
  created: Seconds,
  charge: Stripe.Charge,
  amount: number,
): Stripe.Refund {
  return {
    id,
    object: 'refund',
    amount,
    charge: charge.id,
    created,
    currency: charge.currency,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: null,
    receipt_number: null,
    status: 'succeeded',
  } satisfies Partial<Stripe.Refund> as unknown as Stripe.Refund
}

export function disputeObject(id: string, created: Seconds, charge: Stripe.Charge): Stripe.Dispute {
  return {
    id,
    object: 'dispute',
    amount: charge.amount,
    charge: charge.id,
    created,
    currency: charge.currency,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: 'fraudulent',
    status: 'needs_response',
  } satisfies Partial<Stripe.Dispute> as unknown as Stripe.Dispute
}
