import type { Stripe } from 'stripe'
import { ApiError, past } from '../api/errors.ts'
import { day, type Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import { itemObject, subscriptionObject } from '../objects/subscription.ts'
import type { Card, Store, SubscriptionState } from '../store.ts'
import { attemptOf, collect } from './collect.ts'
import { redeem, checkDiscount, type DiscountRequest } from './discounts.ts'
import { openInvoice } from './invoices.ts'
import { periodLine, prorationLine } from './lines.ts'
import { addPeriods, lastPeriodEnd } from './periods.ts'
import { setStatus } from './statuses.ts'

export type PaymentBehavior =
  | 'allow_incomplete'
  | 'default_incomplete'
  | 'error_if_incomplete'
  | 'pending_if_incomplete'

export interface NewSubscription {
  customer: string
  items: { price: string; quantity: number; metadata?: Record<string, string> }[]
  trialDays: number
  trialEnd?: Seconds | undefined
  /** What the payment page said; the customer's card decides where it is not given. */
  pays?: boolean
  paymentBehavior?: PaymentBehavior | undefined
  discounts?: DiscountRequest[]
  metadata?: Record<string, string>
  description?: string | undefined
  missingPaymentMethod?: 'cancel' | 'create_invoice' | 'pause' | undefined
  cancelAt?: Seconds | undefined
  cancelAtPeriodEnd?: boolean | undefined
  /** A later time at which the first whole period begins. */
  anchor?: Seconds | undefined
  prorates?: boolean
  session?: string
}

/** Starts a subscription: a trial, or a first invoice that is paid or leaves it incomplete for 23 hours. */
export function subscribe(store: Store, emit: Emitter, request: NewSubscription): SubscriptionState {
  store.customer(request.customer)
  for (const discount of request.discounts ?? []) checkDiscount(store, request.customer, discount)
  const card: Card | undefined =
    request.pays === undefined ? store.cards.get(request.customer) : request.pays ? 'succeeds' : 'fails'
  const object = newObject(store, request)
  const { paymentBehavior = 'allow_incomplete', discounts = [], session = null } = request
  const owes = object.items.data.some(({ price }) => (price.unit_amount ?? 0) > 0)
  const isTrial = object.trial_end !== null
  if (paymentBehavior === 'error_if_incomplete' && !isTrial && owes && attemptOf(card) !== 'paid') {
    throw new ApiError(402, 'Your card was declined.', { type: 'card_error', code: 'card_declined' })
  }
  const state: SubscriptionState = { object, retryAt: undefined, retries: 0, trialWillEndSent: false }
  store.subscriptions.set(object.id, state)
  redeem(store, emit, object, discounts, session)
  if (isTrial) object.status = 'trialing'
  emit('customer.subscription.created', object)
  const lines = firstLines(store, object, request.prorates ?? true)
  const invoice = openInvoice(store, emit, state, lines, 'subscription_create')
  if (paymentBehavior === 'default_incomplete' && invoice.amount_due > 0) return state
  if (collect(store, emit, invoice, attemptOf(card)) === 'paid' && !isTrial)
    setStatus(store, emit, state, 'active')
  return state
}

/** What the first invoice says: nothing of a trial, and only a part before an anchor that lies ahead. */
function firstLines(store: Store, object: Stripe.Subscription, prorates: boolean) {
  if (object.trial_end !== null) {
    return object.items.data.map((item) => ({
      ...periodLine(store, item),
      amount: 0,
      description: `Trial period for ${store.productName(item.price)}`,
    }))
  }
  if (object.billing_cycle_anchor <= store.now)
    return object.items.data.map((item) => periodLine(store, item))
  if (!prorates) return []
  return object.items.data.map((item) => {
    const start = addPeriods(item.current_period_end, item.price, -1)
    const whole = { ...item, current_period_start: start }
    return prorationLine(store, whole, { at: store.now, sign: 1, share: 1 })
  })
}

function newObject(store: Store, request: NewSubscription): Stripe.Subscription {
  if (request.items.length === 0)
    throw new ApiError(400, 'Missing required param: items.', { param: 'items', code: 'parameter_missing' })
  const { now } = store
  const prices = request.items.map(({ price }) => store.soldPrice(price))
  const object = subscriptionObject(store.id('sub'), now, request.customer, 'incomplete')
  for (const [param, at] of [
    ['trial_end', request.trialEnd],
    ['cancel_at', request.cancelAt],
    ['billing_cycle_anchor', request.anchor],
  ] as const) {
    if (at !== undefined && at <= now) throw past(param)
  }
  const trialEnd = request.trialEnd ?? (request.trialDays > 0 ? now + request.trialDays * day : undefined)
  object.currency = prices[0]?.currency ?? 'usd'
  object.metadata = request.metadata ?? {}
  object.description = request.description ?? null
  object.billing_cycle_anchor = trialEnd ?? request.anchor ?? now
  object.items.data = request.items.map(({ quantity, metadata = {} }, at) => {
    const price = prices[at] as Stripe.Price
    const end = trialEnd ?? request.anchor ?? addPeriods(now, price, 1)
    const item = itemObject(store.id('si'), now, object.id, price, quantity, { start: now, end })
    return { ...item, metadata }
  })
  if (trialEnd !== undefined) {
    object.trial_start = now
    object.trial_end = trialEnd
  }
  object.trial_settings = {
    end_behavior: {
      billing_cycle_anchor: 'now',
      missing_payment_method: request.missingPaymentMethod ?? 'create_invoice',
    },
  }
  object.cancel_at = request.cancelAt ?? (request.cancelAtPeriodEnd ? lastPeriodEnd(object) : null)
  object.cancel_at_period_end = request.cancelAtPeriodEnd ?? false
  if (object.cancel_at !== null) object.canceled_at = now
  return object
}
