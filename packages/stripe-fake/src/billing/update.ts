import type { Stripe } from 'stripe'
import { ApiError, past } from '../api/errors.ts'
import type { Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { changeFields, type FieldsChange } from './change-fields.ts'
import { changeItems, type ItemsRequest } from './change-items.ts'
import { checkDiscount } from './discounts.ts'
import type { ItemChange } from './plan-items.ts'
import { followSubscription } from './schedules.ts'
import { refuseEnded } from './statuses.ts'
import { endTrial, extendTrial } from './trial.ts'

export interface Change extends FieldsChange, Omit<ItemsRequest, 'changes' | 'fields'> {
  items?: ItemChange[] | undefined
  /** Another price for an item; `first` is the plan, as the portal's form means it. */
  price?: { item: string | undefined; price: string; quantity: number | undefined } | undefined
  trialEnd?: 'now' | Seconds | undefined
}

export function update(store: Store, emit: Emitter, state: SubscriptionState, change: Change): void {
  refuseEnded(state)
  const { object } = state
  refuseAtOnce(store, object, change)
  const items = [...(change.items ?? []), ...(change.price ? [itemOf(object, change.price)] : [])]
  if (items.length > 0 || change.resetsAnchor) {
    changeItems(store, emit, state, { ...change, changes: items, fields: change })
    // All of the change waits until it is paid for.
    if (state.pending) return emit('customer.subscription.updated', object)
  }
  changeFields(store, emit, object, change)
  if (items.length > 0) followSubscription(store, emit, object)
  if (change.trialEnd === 'now') {
    if (object.status === 'trialing') return endTrial(store, emit, state)
  } else if (change.trialEnd !== undefined) extendTrial(store, state, change.trialEnd, change)
  emit('customer.subscription.updated', object)
}

function itemOf(
  object: Stripe.Subscription,
  { item, price, quantity }: NonNullable<Change['price']>,
): ItemChange {
  return { id: item === 'first' ? object.items.data[0]?.id : item, price, quantity }
}

/** A change that is refused changes nothing. What its items come to is found out before anything else too. */
function refuseAtOnce(store: Store, object: Stripe.Subscription, change: Change): void {
  const { cancelAt, trialEnd, discounts } = change
  if (typeof cancelAt === 'number' && cancelAt <= store.now) throw past('cancel_at')
  if (typeof trialEnd === 'number' && trialEnd <= store.now) throw past('trial_end')
  for (const discount of discounts ?? []) checkDiscount(store, object.customer as string, discount)
  refuseWhatSchedulesDo(object, change)
}

function refuseWhatSchedulesDo(object: Stripe.Subscription, change: Change): void {
  if (object.schedule === null) return
  if (change.cancelAt === undefined && change.cancelAtPeriodEnd === undefined) return
  throw new ApiError(
    400,
    `The subscription is managed by the subscription schedule \`${object.schedule as string}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
  )
}
