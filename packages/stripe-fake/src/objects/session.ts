import type { Stripe } from 'stripe'
import { hour, type Seconds } from '../clock.ts'

export interface SessionFacts {
  id: string
  created: Seconds
  expiresAt: Seconds | undefined
  customer: string | null
  customerEmail: string | null
  lines: Stripe.LineItem[]
  amountDiscount: number
  discounts: { coupon: string | null; promotion_code: string | null }[]
  cancelUrl: string | null
  successUrl: string | null
  clientReferenceId: string | null
  metadata: Record<string, string>
  paymentMethodCollection: 'always' | 'if_required'
  allowPromotionCodes: boolean | null
  paymentLink: string | null
  url: string
  /** Options that are shown again as they came. */
  echoed: Record<string, unknown>
}

export function sessionObject(facts: SessionFacts): Stripe.Checkout.Session {
  const { id, lines, amountDiscount } = facts
  const subtotal = lines.reduce((sum, { amount_subtotal: amount }) => sum + amount, 0)
  return {
    ...facts.echoed,
    id,
    object: 'checkout.session',
    allow_promotion_codes: facts.allowPromotionCodes,
    amount_subtotal: subtotal,
    amount_total: subtotal - amountDiscount,
    cancel_url: facts.cancelUrl,
    client_reference_id: facts.clientReferenceId,
    client_secret: null,
    created: facts.created,
    currency: lines[0]?.currency ?? 'usd',
    customer: facts.customer,
    customer_details:
      facts.customerEmail === null
        ? null
        : ({ email: facts.customerEmail } as Stripe.Checkout.Session.CustomerDetails),
    customer_email: facts.customer === null ? facts.customerEmail : null,
    discounts: facts.discounts,
    expires_at: facts.expiresAt ?? facts.created + 24 * hour,
    invoice: null,
    livemode: false,
    metadata: facts.metadata,
    mode: 'subscription',
    payment_intent: null,
    payment_link: facts.paymentLink,
    payment_method_collection: facts.paymentMethodCollection,
    payment_method_types: ['card'],
    payment_status: 'unpaid',
    recovered_from: null,
    setup_intent: null,
    status: 'open',
    subscription: null,
    success_url: facts.successUrl,
    total_details: { amount_discount: amountDiscount, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: facts.url,
  } satisfies Partial<Stripe.Checkout.Session> as unknown as Stripe.Checkout.Session
}

export function lineItemObject(
  id: string,
  price: Stripe.Price,
  quantity: number,
  description: string,
): Stripe.LineItem {
  const amount = (price.unit_amount ?? 0) * quantity
  return {
    id,
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description,
    metadata: {},
    price,
    quantity,
  } satisfies Stripe.LineItem
}
