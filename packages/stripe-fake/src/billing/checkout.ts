import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import { hour } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import { customerObject } from '../objects/customer.ts'
import { lineItemObject, sessionObject } from '../objects/session.ts'
import { known, type Card, type Store } from '../store.ts'
import { promotionCodeOf, redeemable, type DiscountRequest } from './discounts.ts'
import { subscribe, type NewSubscription } from './subscribe.ts'

/** What a session makes of its subscription, which its object does not show. */
export type SubscriptionData = Pick<
  NewSubscription,
  'trialDays' | 'trialEnd' | 'missingPaymentMethod' | 'metadata' | 'description' | 'anchor' | 'prorates'
>

export interface NewSession {
  customer: string | undefined
  customerEmail?: string | undefined
  items: { price: string; quantity: number }[]
  data: SubscriptionData
  discounts?: DiscountRequest[]
  allowPromotionCodes?: boolean | undefined
  paymentMethodCollection?: 'always' | 'if_required' | undefined
  expiresAt?: number | undefined
  successUrl?: string | undefined
  cancelUrl?: string | undefined
  clientReferenceId?: string | undefined
  metadata?: Record<string, string>
  paymentLink?: string
  echoed?: Record<string, unknown>
}

export function openSession(store: Store, request: NewSession): Stripe.Checkout.Session {
  const customer = request.customer === undefined ? null : store.customer(request.customer).id
  const { discounts = [], expiresAt, items } = request
  const chosen = discounts.map((one) => redeemable(store, customer, one))
  if (chosen.length > 0 && request.allowPromotionCodes !== undefined) {
    throw new ApiError(
      400,
      'You may only specify one of these parameters: allow_promotion_codes, discounts.',
      {
        code: 'parameters_exclusive',
      },
    )
  }
  if (expiresAt !== undefined && (expiresAt < store.now + hour / 2 || expiresAt > store.now + 24 * hour)) {
    throw new ApiError(400, 'The `expires_at` timestamp must be between 30 minutes and 24 hours from now.', {
      param: 'expires_at',
    })
  }
  if (items.length === 0) {
    throw new ApiError(400, 'Missing required param: line_items.', {
      code: 'parameter_missing',
      param: 'line_items',
    })
  }
  const id = store.id('cs_test')
  const lines = items.map(({ price: priceId, quantity }) => {
    const price = store.soldPrice(priceId)
    return lineItemObject(store.id('li'), price, quantity, store.productName(price))
  })
  const session = sessionObject({
    id,
    created: store.now,
    expiresAt,
    customer,
    customerEmail: request.customerEmail ?? (customer === null ? null : store.customer(customer).email),
    lines,
    amountDiscount: amountOff(
      lines,
      chosen.map(({ coupon }) => coupon),
    ),
    discounts: discounts.map(({ coupon = null, promotion_code: code = null }) => ({
      coupon: coupon ?? null,
      promotion_code: code ?? null,
    })),
    cancelUrl: request.cancelUrl ?? null,
    successUrl: request.successUrl?.replace('{CHECKOUT_SESSION_ID}', id) ?? null,
    clientReferenceId: request.clientReferenceId ?? null,
    metadata: request.metadata ?? {},
    paymentMethodCollection: request.paymentMethodCollection ?? 'always',
    allowPromotionCodes: request.allowPromotionCodes ?? null,
    paymentLink: request.paymentLink ?? null,
    url: `${store.baseUrl}/pay/${id}`,
    echoed: request.echoed ?? {},
  })
  store.sessions.set(id, session)
  store.sessionLines.set(id, lines)
  store.sessionData.set(id, request.data)
  return session
}

function amountOff(lines: Stripe.LineItem[], coupons: Stripe.Coupon[]): number {
  const subtotal = lines.reduce((sum, { amount_subtotal: amount }) => sum + amount, 0)
  return coupons.reduce((off, { amount_off: amount, percent_off: percent }) => {
    const left = subtotal - off
    return off + Math.min(left, amount ?? Math.round((left * (percent ?? 0)) / 100))
  }, 0)
}

export function openSessionOf(store: Store, id: string): Stripe.Checkout.Session {
  const session = known(store.sessions, 'checkout session', id)
  if (session.status === 'open') return session
  throw new ApiError(400, `This session is ${session.status}.`, { code: 'resource_state_invalid' })
}

/** A code typed into the page. Returns whether there is such a code. */
export function enterPromotionCode(store: Store, id: string, code: string): boolean {
  const session = openSessionOf(store, id)
  const found = promotionCodeOf(store, code)
  if (!found || !session.allow_promotion_codes) return false
  try {
    const { coupon } = redeemable(store, session.customer as string | null, { promotion_code: found.id })
    const off = amountOff(store.sessionLines.get(id) ?? [], [coupon])
    session.discounts = [{ coupon: null, promotion_code: found.id }]
    session.amount_total = (session.amount_subtotal ?? 0) - off
    if (session.total_details) session.total_details.amount_discount = off
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}

/** The page asks for a card unless the session says that it may do without and nothing is due. */
export function needsCard(store: Store, session: Stripe.Checkout.Session): boolean {
  if (session.payment_method_collection === 'always') return true
  return !isTrial(store, session) && (session.amount_total ?? 0) > 0
}

function isTrial(store: Store, { id }: Stripe.Checkout.Session): boolean {
  const data = store.sessionData.get(id)
  return (data?.trialDays ?? 0) > 0 || data?.trialEnd !== undefined
}

/** The customer has paid with a card, or without one where none is needed. */
export function completeSession(
  store: Store,
  emit: Emitter,
  id: string,
  card: Card,
): Stripe.Checkout.Session {
  const session = openSessionOf(store, id)
  if (session.customer === null) {
    const customer = customerObject(store.id('cus'), store.now, session.customer_email)
    store.customers.set(customer.id, customer)
    emit('customer.created', customer)
    session.customer = customer.id
  }
  const customer = session.customer as string
  if (card !== 'none' || !store.cards.has(customer)) store.cards.set(customer, card)
  const trialing = isTrial(store, session)
  const { object } = subscribe(store, emit, {
    customer,
    items: (store.sessionLines.get(id) ?? []).map(({ price, quantity }) => ({
      price: (price as Stripe.Price).id,
      quantity: quantity ?? 1,
    })),
    trialDays: 0,
    ...store.sessionData.get(id),
    pays: true,
    discounts: (session.discounts ?? []).map(({ coupon, promotion_code: code }) => ({
      coupon: (coupon as string | null) ?? undefined,
      promotion_code: (code as string | null) ?? undefined,
    })),
    session: id,
  })
  session.status = 'complete'
  session.url = null
  session.payment_status = trialing ? 'no_payment_required' : 'paid'
  session.subscription = object.id
  session.invoice = object.latest_invoice
  emit('checkout.session.completed', session)
  return session
}
