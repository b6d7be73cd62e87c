import type { Stripe } from 'stripe'
import { addMonths, day, hour, type Seconds } from './clock.ts'
import type { Emitter } from './emitter.ts'
import { ApiError } from './errors.ts'
import { collect, openInvoice, voidOpenInvoices } from './invoices.ts'
import { itemObject, list, subscriptionObject } from './objects.ts'
import type { Store, SubscriptionState } from './store.ts'

export interface NewSubscription {
  customer: string
  items: { price: string; quantity: number }[]
  trialDays: number
  /** What the payment page said; the customer's card decides where it is not given. */
  pays?: boolean
}

const ended = new Set<Stripe.Subscription.Status>(['canceled', 'incomplete_expired'])

/** Starts a subscription: a trial, or a first invoice that is paid or leaves it incomplete for 23 hours. */
export function subscribe(store: Store, emit: Emitter, request: NewSubscription): SubscriptionState {
  store.customer(request.customer)
  if (request.items.length === 0)
    throw new ApiError(400, 'Missing required param: items.', { param: 'items' })
  const { now } = store
  const object = subscriptionObject(store.id('sub'), now, request.customer, 'incomplete')
  const trialEnd = request.trialDays > 0 ? now + request.trialDays * day : undefined
  const prices = request.items.map(({ price }) => store.price(price))
  object.currency = prices[0]?.currency ?? 'usd'
  object.items.data = request.items.map(({ quantity }, at) => {
    const price = prices[at] as Stripe.Price
    const period = { start: now, end: trialEnd ?? periodEnd(now, price) }
    return itemObject(store.id('si'), now, object.id, price, quantity, period)
  })
  const state: SubscriptionState = { object, retryAt: undefined, retries: 0, trialWillEndSent: false }
  store.subscriptions.set(object.id, state)
  if (trialEnd !== undefined) {
    object.status = 'trialing'
    object.trial_start = now
    object.trial_end = trialEnd
    emit('customer.subscription.created', object)
    collect(store, emit, openInvoice(store, state, 0, 'subscription_create'), true)
    return state
  }
  emit('customer.subscription.created', object)
  const invoice = openInvoice(store, state, amountOf(object), 'subscription_create')
  if (collect(store, emit, invoice, request.pays)) setStatus(store, emit, state, 'active')
  else state.retryAt = undefined
  return state
}

/** Changes a status and tells so. */
export function setStatus(
  store: Store,
  emit: Emitter,
  { object }: SubscriptionState,
  status: Stripe.Subscription.Status,
): void {
  if (object.status === status) return
  object.status = status
  if (ended.has(status)) object.ended_at = store.now
  emit(status === 'canceled' ? 'customer.subscription.deleted' : 'customer.subscription.updated', object)
}

export function cancelNow(store: Store, emit: Emitter, state: SubscriptionState): void {
  refuseEnded(state)
  const { object } = state
  object.canceled_at = store.now
  object.cancel_at_period_end = false
  object.cancel_at = null
  state.retryAt = undefined
  voidOpenInvoices(store, object.id)
  setStatus(store, emit, state, 'canceled')
}

export interface Change {
  cancelAtPeriodEnd?: boolean | undefined
  cancelAt?: Seconds | null | undefined
  price?: { item: string | undefined; price: string; quantity: number | undefined } | undefined
  pauseCollection?: Stripe.Subscription.PauseCollection | null | undefined
  trialEnd?: 'now' | undefined
  metadata?: Record<string, string> | undefined
}

export function update(store: Store, emit: Emitter, state: SubscriptionState, change: Change): void {
  refuseEnded(state)
  const { object } = state
  if (change.cancelAtPeriodEnd !== undefined) {
    object.cancel_at_period_end = change.cancelAtPeriodEnd
    object.cancel_at = change.cancelAtPeriodEnd ? lastPeriodEnd(object) : null
    object.canceled_at = change.cancelAtPeriodEnd ? store.now : null
  }
  if (change.cancelAt !== undefined) {
    object.cancel_at = change.cancelAt
    object.canceled_at = change.cancelAt === null ? null : store.now
  }
  if (change.pauseCollection !== undefined) object.pause_collection = change.pauseCollection
  if (change.metadata !== undefined) object.metadata = { ...object.metadata, ...change.metadata }
  if (change.price) {
    const { item: id, price, quantity } = change.price
    const [first] = object.items.data
    // The portal's form means the plan; the API adds an item that has no id.
    const item = id === 'first' ? first : object.items.data.find((candidate) => candidate.id === id)
    if (!item && id !== undefined) {
      throw new ApiError(400, `No such subscription item: '${id}'`, { code: 'resource_missing' })
    }
    if (!item) {
      const period = { start: store.now, end: first?.current_period_end ?? store.now }
      object.items.data.push(
        itemObject(store.id('si'), store.now, object.id, store.price(price), quantity ?? 1, period),
      )
      emit('customer.subscription.updated', object)
      return
    }
    item.price = store.price(price)
    item.quantity = quantity ?? 1 // as Stripe does for a new price
    emit('customer.subscription.updated', object)
    return
  }
  if (change.trialEnd === 'now' && object.status === 'trialing') {
    endTrial(store, emit, state)
    return
  }
  emit('customer.subscription.updated', object)
}

/** The pause endpoint: nothing is invoiced until `resume`. */
export function pause(emit: Emitter, state: SubscriptionState): void {
  refuseEnded(state)
  state.retryAt = undefined
  state.object.status = 'paused'
  emit('customer.subscription.paused', state.object)
  emit('customer.subscription.updated', state.object)
}

export function resume(store: Store, emit: Emitter, state: SubscriptionState): void {
  const { object } = state
  if (object.status !== 'paused') {
    throw new ApiError(400, 'Only paused subscriptions can be resumed.', { code: 'resource_state_invalid' })
  }
  object.billing_cycle_anchor = store.now
  startPeriod(store, object)
  object.status = 'active'
  emit('customer.subscription.resumed', object)
  const invoice = openInvoice(store, state, amountOf(object), 'subscription_update')
  if (collect(store, emit, invoice)) emit('customer.subscription.updated', object)
  else owe(store, emit, state)
}

/** Pays what is owed, as the customer does after the card was changed. */
export function payOwed(store: Store, emit: Emitter, state: SubscriptionState): void {
  const open = store.invoicesOf(state.object.id).find(({ status }) => status === 'open')
  if (!open || !collect(store, emit, open)) return
  state.retryAt = undefined
  state.retries = 0
  if (['past_due', 'unpaid', 'incomplete'].includes(state.object.status))
    setStatus(store, emit, state, 'active')
}

export function endTrial(store: Store, emit: Emitter, state: SubscriptionState): void {
  const { object } = state
  object.trial_end = store.now
  object.billing_cycle_anchor = store.now
  startPeriod(store, object)
  renewalInvoice(store, emit, state)
  if (state.object.status === 'trialing') setStatus(store, emit, state, 'active')
}

/** One period further: invoiced, and paid or owed. */
export function renew(store: Store, emit: Emitter, state: SubscriptionState): void {
  startPeriod(store, state.object)
  renewalInvoice(store, emit, state)
}

function renewalInvoice(store: Store, emit: Emitter, state: SubscriptionState): void {
  const { object } = state
  if (object.pause_collection) {
    emit('customer.subscription.updated', object)
    return
  }
  const invoice = openInvoice(store, state, amountOf(object), 'subscription_cycle')
  if (collect(store, emit, invoice)) emit('customer.subscription.updated', object)
  else owe(store, emit, state)
}

function owe(store: Store, emit: Emitter, state: SubscriptionState): void {
  state.retries = 0
  state.retryAt = store.now + 3 * day
  setStatus(store, emit, state, 'past_due')
}

/** Three more attempts, then the end that the account's settings choose. */
export function retry(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  end: 'canceled' | 'unpaid',
): void {
  const open = store.invoicesOf(state.object.id).find(({ status }) => status === 'open')
  state.retries++
  if (open && collect(store, emit, open)) {
    state.retryAt = undefined
    setStatus(store, emit, state, 'active')
  } else if (state.retries >= 3) {
    state.retryAt = undefined
    if (end === 'canceled') cancelNow(store, emit, state)
    else setStatus(store, emit, state, 'unpaid')
  } else state.retryAt = store.now + (state.retries === 1 ? 5 : 7) * day
}

/** What happens next to a subscription, and when; undefined when nothing will. */
export function nextDue({
  object,
  retryAt,
  trialWillEndSent,
}: SubscriptionState):
  | { at: Seconds; what: 'expire' | 'trial-will-end' | 'trial-end' | 'cancel' | 'retry' | 'renew' }
  | undefined {
  const due: {
    at: Seconds
    what: 'expire' | 'trial-will-end' | 'trial-end' | 'cancel' | 'retry' | 'renew'
  }[] = []
  if (ended.has(object.status)) return undefined
  if (object.cancel_at !== null) due.push({ at: object.cancel_at, what: 'cancel' })
  if (object.status === 'incomplete') due.push({ at: object.created + 23 * hour, what: 'expire' })
  if (object.status === 'trialing' && object.trial_end !== null) {
    if (!trialWillEndSent)
      due.push({ at: Math.max(object.created, object.trial_end - 3 * day), what: 'trial-will-end' })
    due.push({ at: object.trial_end, what: 'trial-end' })
  }
  if (retryAt !== undefined) due.push({ at: retryAt, what: 'retry' })
  if (object.status === 'active' || object.status === 'past_due') {
    const end = Math.min(...object.items.data.map(({ current_period_end: at }) => at))
    if (object.status === 'active') due.push({ at: end, what: 'renew' })
  }
  return due.toSorted((a, b) => a.at - b.at)[0]
}

export function amountOf({ items }: Stripe.Subscription): number {
  return items.data.reduce((sum, { price, quantity }) => sum + (price.unit_amount ?? 0) * (quantity ?? 1), 0)
}

function startPeriod(store: Store, { items, billing_cycle_anchor: anchor }: Stripe.Subscription): void {
  for (const item of items.data) {
    item.current_period_start = store.now
    item.current_period_end = nextPeriodEnd(anchor, store.now, item.price)
  }
}

/** Counted from the anchor, so that the 31st comes back after a short month. */
function nextPeriodEnd(anchor: Seconds, now: Seconds, { recurring }: Stripe.Price): Seconds {
  const months = (recurring?.interval === 'year' ? 12 : 1) * (recurring?.interval_count ?? 1)
  let end = anchor
  for (let period = 1; end <= now; period++) end = addMonths(anchor, months * period)
  return end
}

function periodEnd(from: Seconds, { recurring }: Stripe.Price): Seconds {
  const months = (recurring?.interval === 'year' ? 12 : 1) * (recurring?.interval_count ?? 1)
  return addMonths(from, months)
}

function lastPeriodEnd({ items }: Stripe.Subscription): Seconds {
  return Math.max(...items.data.map(({ current_period_end: at }) => at))
}

function refuseEnded({ object }: SubscriptionState): void {
  if (!ended.has(object.status)) return
  throw new ApiError(404, `No such subscription: '${object.id}'`, { code: 'resource_missing', param: 'id' })
}

/** A copy whose items are cut to a page, as the API nests them. */
export function shown({ object }: SubscriptionState): Stripe.Subscription {
  const items = object.items.data
  return { ...object, items: list(items.slice(0, 10), object.items.url, items.length > 10) }
}
