import type { Stripe } from 'stripe'
import type { Emitter } from '../emitter.ts'
import { day } from '../clock.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { changeFields } from './change-fields.ts'
import { attemptOf, collect } from './collect.ts'
import { closeInvoice, openInvoice, openInvoicesOf, showNextAttempt, voidOpenInvoices } from './invoices.ts'
import { periodLine } from './lines.ts'
import { applyPlanned } from './plan-items.ts'
import { periodEnd } from './periods.ts'
import { refuseEnded, setStatus } from './statuses.ts'

/** One period further for what is due, or for all when nothing is: invoiced, and paid or owed. */
export function renew(store: Store, emit: Emitter, state: SubscriptionState): void {
  const items = state.object.items.data
  const due = items.filter((item) => item.current_period_end <= store.now)
  startPeriods(store, state, due.length > 0 ? due : items)
  invoicePeriod(store, emit, state)
}

export function startPeriods(
  store: Store,
  { object }: SubscriptionState,
  items: Stripe.SubscriptionItem[] = object.items.data,
): void {
  for (const item of items) {
    item.current_period_start = store.now
    item.current_period_end = periodEnd(object.billing_cycle_anchor, store.now, item.price)
  }
}

/** Bills the items whose period begins now. */
export function invoicePeriod(store: Store, emit: Emitter, state: SubscriptionState): void {
  const { object } = state
  const begun = object.items.data.filter((item) => item.current_period_start === store.now)
  const lines = begun.map((item) => periodLine(store, item))
  const invoice = openInvoice(store, emit, state, lines, 'subscription_cycle')
  if (object.pause_collection) {
    if (object.pause_collection.behavior === 'keep_as_draft') invoice.status = 'draft'
    else
      closeInvoice(
        store,
        emit,
        invoice,
        object.pause_collection.behavior === 'void' ? 'void' : 'uncollectible',
      )
    emit('customer.subscription.updated', object)
    return
  }
  if (collect(store, emit, invoice) === 'paid') emit('customer.subscription.updated', object)
  else owe(store, emit, state)
}

export function owe(store: Store, emit: Emitter, state: SubscriptionState): void {
  // One that owes already goes on with the attempts that were planned.
  if (state.retryAt === undefined) {
    state.retries = 0
    state.retryAt = store.now + 3 * day
  }
  showNextAttempt(store, state.object.id, state.retryAt)
  setStatus(store, emit, state, 'past_due')
}

/** Three more attempts, then the end that the account's settings choose. */
export function retry(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  end: 'canceled' | 'unpaid',
): void {
  const { object } = state
  state.retries++
  const card = attemptOf(store.cards.get(object.customer as string))
  if (openInvoicesOf(store, object.id).every((invoice) => collect(store, emit, invoice, card) === 'paid')) {
    settled(store, emit, state)
  } else if (state.retries >= 3) {
    state.retryAt = undefined
    showNextAttempt(store, object.id, undefined)
    if (end === 'canceled') cancelNow(store, emit, state, 'payment_failed')
    else setStatus(store, emit, state, 'unpaid')
  } else {
    state.retryAt = store.now + (state.retries === 1 ? 5 : 7) * day
    showNextAttempt(store, object.id, state.retryAt)
  }
}

/** Pays what is owed, as the customer does after the card was changed. */
export function payOwed(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  attempt = attemptOf(store.cards.get(state.object.customer as string)),
): void {
  const open = openInvoicesOf(store, state.object.id)
  if (open.length === 0) return
  if (open.every((invoice) => collect(store, emit, invoice, attempt) === 'paid')) settled(store, emit, state)
}

/** What follows when an invoice of a subscription has been paid. */
export function settled(store: Store, emit: Emitter, state: SubscriptionState): void {
  const { object, pending, resumes } = state
  if (pending && store.invoices.get(pending.invoice)?.status === 'paid') {
    state.pending = undefined
    object.pending_update = null
    applyPlanned(store, object, pending.planned)
    changeFields(store, emit, object, pending.fields)
    emit('customer.subscription.pending_update_applied', object)
    emit('customer.subscription.updated', object)
  }
  if (resumes && store.invoices.get(resumes.invoice)?.status === 'paid') {
    state.resumes = undefined
    setStatus(store, emit, state, 'active')
    emit('customer.subscription.resumed', object)
  }
  if (openInvoicesOf(store, object.id).length > 0) return
  state.retryAt = undefined
  state.retries = 0
  if (['past_due', 'unpaid', 'incomplete'].includes(object.status)) setStatus(store, emit, state, 'active')
}

export function cancelNow(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  reason: 'cancellation_requested' | 'payment_failed' = 'cancellation_requested',
): void {
  refuseEnded(state)
  const { object } = state
  object.canceled_at = store.now
  object.cancel_at_period_end = false
  object.cancel_at = null
  object.cancellation_details = {
    comment: null,
    feedback: null,
    feedback_option: null,
    ...object.cancellation_details,
    reason,
  }
  object.pending_update = null
  Object.assign(state, { retryAt: undefined, pending: undefined, resumes: undefined })
  voidOpenInvoices(store, emit, object.id)
  const schedule = store.scheduleOf(object)
  if (schedule) {
    Object.assign(schedule, { status: 'canceled', canceled_at: store.now, current_phase: null })
    object.schedule = null
    emit('subscription_schedule.canceled', schedule)
  }
  setStatus(store, emit, state, 'canceled')
}
