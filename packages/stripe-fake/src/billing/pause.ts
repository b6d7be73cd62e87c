import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import { day } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { expirePendingUpdate, type ProrationBehavior } from './change-items.ts'
import { collect } from './collect.ts'
import { netShare } from './discounts.ts'
import { addPending, closeInvoice, openInvoice } from './invoices.ts'
import { periodLine, prorationLine } from './lines.ts'
import { addPeriods } from './periods.ts'
import { owe, startPeriods } from './renewal.ts'
import { refuseEnded } from './statuses.ts'

type PauseReason = Stripe.Subscription.StatusDetails.Paused.Subscription.Type

/** Nothing is invoiced until `resume`, and nothing is credited. */
export function pause(emit: Emitter, state: SubscriptionState): void {
  refuseEnded(state)
  state.retryAt = undefined
  state.object.status = 'paused'
  emit('customer.subscription.paused', state.object)
  emit('customer.subscription.updated', state.object)
}

export function pauseNow(store: Store, emit: Emitter, state: SubscriptionState, type: PauseReason): void {
  state.object.status_details = {
    paused: { subscription: { type }, transitioned_at: store.now, type: 'subscription' },
  }
  pause(emit, state)
}

export interface PauseRequest {
  unusedTimeFrom?: 'now' | 'none' | 'item_current_period_start' | undefined
  invoicingBehavior?: 'invoice' | 'pending_invoice_item' | undefined
}

/** The pause endpoint, which by default credits the time that is left. */
export function requestPause(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  { unusedTimeFrom = 'now', invoicingBehavior = 'pending_invoice_item' }: PauseRequest,
): void {
  refuseEnded(state)
  const { object } = state
  if (!['active', 'past_due', 'unpaid'].includes(object.status)) {
    throw new ApiError(400, `A subscription that is ${object.status} cannot be paused.`, {
      code: 'resource_state_invalid',
    })
  }
  if (object.schedule !== null) {
    throw new ApiError(
      400,
      `The subscription is attached to the subscription schedule \`${object.schedule as string}\`, and cannot be paused.`,
    )
  }
  // Paid or not: the credit is for the time, as of each proration.
  if (unusedTimeFrom !== 'none') {
    const share = netShare(store, object)
    const credits = object.items.data
      .map((item) => {
        const at = unusedTimeFrom === 'now' ? store.now : item.current_period_start
        return prorationLine(store, item, { at, sign: -1, share })
      })
      .filter(({ amount }) => amount !== 0)
    if (invoicingBehavior === 'pending_invoice_item') addPending(store, object.customer as string, credits)
    else if (credits.length > 0) {
      collect(store, emit, openInvoice(store, emit, state, credits, 'subscription_update'))
    }
  }
  if (state.pending) expirePendingUpdate(store, emit, state)
  for (const item of object.items.data) item.current_period_end = store.now
  pauseNow(store, emit, state, 'pause_requested')
}

export interface ResumeRequest {
  resetsAnchor?: boolean
  paymentBehavior?: 'resume_on_payment_attempt' | 'resume_on_payment_success' | undefined
  prorationBehavior?: ProrationBehavior | undefined
}

export function resume(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  {
    resetsAnchor = true,
    paymentBehavior = 'resume_on_payment_attempt',
    prorationBehavior,
  }: ResumeRequest = {},
): void {
  const { object } = state
  if (object.status !== 'paused') {
    throw new ApiError(400, 'Only paused subscriptions can be resumed.', { code: 'resource_state_invalid' })
  }
  const waits = paymentBehavior === 'resume_on_payment_success'
  if (waits && store.cards.get(object.customer as string) === 'none') {
    throw new ApiError(
      400,
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
      { code: 'resource_missing' },
    )
  }
  const lines = resetsAnchor
    ? newPeriod(store, state)
    : restOfPeriod(store, state, prorationBehavior ?? 'create_prorations')
  if (lines === undefined || object.pause_collection) {
    goOn(emit, object)
    emit('customer.subscription.updated', object)
    return
  }
  const invoice = openInvoice(store, emit, state, lines, 'subscription_update')
  if (waits) {
    state.resumes = { invoice: invoice.id, until: store.now + 365 * day }
    if (collect(store, emit, invoice) !== 'paid') return
    state.resumes = undefined
  }
  goOn(emit, object)
  const isPaid = invoice.status === 'paid' || collect(store, emit, invoice) === 'paid'
  if (isPaid) emit('customer.subscription.updated', object)
  else owe(store, emit, state)
}

function goOn(emit: Emitter, object: Stripe.Subscription): void {
  object.status = 'active'
  delete object.status_details
  emit('customer.subscription.resumed', object)
}

function newPeriod(store: Store, state: SubscriptionState) {
  state.object.billing_cycle_anchor = store.now
  startPeriods(store, state)
  return state.object.items.data.map((item) => periodLine(store, item))
}

/** With the old anchor: the periods go on as if it had never been paused, and what is left of this one is billed. */
function restOfPeriod(store: Store, state: SubscriptionState, behavior: ProrationBehavior) {
  const { object } = state
  const items = object.items.data
  if (items.some((item) => item.current_period_end <= store.now)) {
    startPeriods(store, state)
    for (const item of items) item.current_period_start = addPeriods(item.current_period_end, item.price, -1)
  }
  const share = netShare(store, object)
  const lines = items
    .map((item) => prorationLine(store, item, { at: store.now, sign: 1, share }))
    .filter(({ amount }) => amount !== 0)
  if (behavior === 'always_invoice') return lines
  if (behavior === 'create_prorations') addPending(store, object.customer as string, lines)
  return undefined
}

/** The invoice that should have resumed it was not paid in time: it stays paused. */
export function expireResumption(store: Store, emit: Emitter, state: SubscriptionState): void {
  const invoice = store.invoices.get(state.resumes?.invoice ?? '')
  state.resumes = undefined
  if (invoice?.status === 'open') closeInvoice(store, emit, invoice, 'void')
}

/** `pause_collection` with a time at which it ends. */
export function resumeCollection(emit: Emitter, { object }: SubscriptionState): void {
  object.pause_collection = null
  emit('customer.subscription.updated', object)
}
