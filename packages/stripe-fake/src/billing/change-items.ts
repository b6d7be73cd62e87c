import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import { hour, type Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import type { Line } from '../objects/invoice.ts'
import type { Store, SubscriptionState } from '../store.ts'
import type { FieldsChange } from './change-fields.ts'
import { attemptOf, collect } from './collect.ts'
import { addPending, closeInvoice, draftInvoice, openInvoice } from './invoices.ts'
import { firstPeriodEnd } from './periods.ts'
import { applyPlanned, planItems, type ItemChange, type PlannedItems } from './plan-items.ts'
import { owe } from './renewal.ts'
import { setStatus } from './statuses.ts'
import type { PaymentBehavior } from './subscribe.ts'

export type ProrationBehavior = 'always_invoice' | 'create_prorations' | 'none'

export interface ItemsRequest {
  changes: ItemChange[]
  prorationBehavior?: ProrationBehavior | undefined
  prorationDate?: Seconds | undefined
  paymentBehavior?: PaymentBehavior | undefined
  /** `billing_cycle_anchor: {type: 'now'}` */
  resetsAnchor?: boolean
  /** What changes with the items, and waits with them. */
  fields?: FieldsChange
}

/** The plan of a change of items, and the lines that it bills at once; the others wait for the next invoice. */
export function billOf(
  store: Store,
  object: Stripe.Subscription,
  request: ItemsRequest,
  newId: () => string,
): { planned: PlannedItems; now: Line[]; later: Line[] } {
  const { changes, prorationBehavior = 'create_prorations', prorationDate: at = store.now } = request
  const planned = planItems(store, object, {
    changes,
    at,
    resetsAnchor: request.resetsAnchor ?? false,
    newId,
  })
  const prorations = prorationBehavior === 'none' ? [] : planned.prorations
  const isNow = planned.startsCycle || prorationBehavior === 'always_invoice'
  return {
    planned,
    now: isNow ? [...prorations, ...planned.periods] : [],
    later: isNow ? [] : prorations,
  }
}

/** Changes items, and bills what that comes to. Emits what happens to invoices, not the change itself. */
export function changeItems(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  request: ItemsRequest,
): void {
  const { object } = state
  const customer = object.customer as string
  const { planned, now, later } = billOf(store, object, request, () => store.id('si'))
  const { paymentBehavior = 'allow_incomplete' } = request
  const draft = draftInvoice(
    store,
    { customer, subscription: object, reason: 'subscription_update', lines: now },
    'in_draft',
    (prefix) => prefix,
  )
  const attempt = attemptOf(store.cards.get(customer))
  const isAtRisk = now.length > 0 && draft.amount_due > 0 && attempt !== 'paid' && !object.pause_collection
  if (isAtRisk && paymentBehavior === 'error_if_incomplete') throw declined(attempt)
  // A change that waits is given up for the next.
  if (state.pending) expirePendingUpdate(store, emit, state)
  if (isAtRisk && paymentBehavior === 'pending_if_incomplete') {
    const invoice = openInvoice(store, emit, state, now, 'subscription_update')
    const { fields = {} } = request
    state.pending = { invoice: invoice.id, planned, fields }
    object.pending_update = pendingUpdate(store, object, planned, fields)
    collect(store, emit, invoice)
    return
  }
  applyPlanned(store, object, planned)
  addPending(store, customer, later)
  if (now.length === 0) return
  const invoice = openInvoice(store, emit, state, now, 'subscription_update')
  const { pause_collection: paused } = object
  if (paused) {
    if (paused.behavior === 'keep_as_draft') invoice.status = 'draft'
    else closeInvoice(store, emit, invoice, paused.behavior === 'void' ? 'void' : 'uncollectible')
  } else if (paymentBehavior === 'default_incomplete' && invoice.amount_due > 0) {
    setStatus(store, emit, state, 'past_due')
  } else if (collect(store, emit, invoice) !== 'paid') owe(store, emit, state)
}

function declined(attempt: 'failed' | 'requires_action' | 'paid'): ApiError {
  return attempt === 'requires_action'
    ? new ApiError(402, 'This payment needs authentication; nothing was changed.', {
        type: 'card_error',
        code: 'subscription_payment_intent_requires_action',
      })
    : new ApiError(402, 'Your card was declined.', { type: 'card_error', code: 'card_declined' })
}

function pendingUpdate(
  store: Store,
  object: Stripe.Subscription,
  planned: PlannedItems,
  fields: FieldsChange,
): Stripe.Subscription.PendingUpdate {
  return {
    billing_cycle_anchor: planned.startsCycle ? store.now : null,
    cancel_at_period_end: fields.cancelAtPeriodEnd ?? null,
    discount: null,
    discounts: null,
    // Not beyond the period that it was counted in.
    expires_at: Math.min(store.now + 23 * hour, firstPeriodEnd(object)),
    metadata: fields.metadata ?? null,
    subscription_items: planned.items,
    trial_end: null,
    trial_from_plan: null,
  }
}

/** The change that nobody paid for in time is forgotten. */
export function expirePendingUpdate(store: Store, emit: Emitter, state: SubscriptionState): void {
  const invoice = store.invoices.get(state.pending?.invoice ?? '')
  state.pending = undefined
  state.object.pending_update = null
  if (invoice?.status === 'open') closeInvoice(store, emit, invoice, 'void')
  emit('customer.subscription.pending_update_expired', state.object)
  emit('customer.subscription.updated', state.object)
}
