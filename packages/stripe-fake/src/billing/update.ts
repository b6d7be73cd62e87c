import type { Stripe } from 'stripe'
import { ApiError, past } from '../api/errors.ts'
import type { Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { changeItems, type ItemsRequest } from './change-items.ts'
import { redeem, checkDiscount, type DiscountRequest } from './discounts.ts'
import type { ItemChange } from './plan-items.ts'
import { firstPeriodEnd, lastPeriodEnd } from './periods.ts'
import { followSubscription } from './schedules.ts'
import { refuseEnded } from './statuses.ts'
import { endTrial, extendTrial } from './trial.ts'

export interface Change extends Omit<ItemsRequest, 'changes'> {
  cancelAtPeriodEnd?: boolean | undefined
  cancelAt?: Seconds | 'min_period_end' | 'max_period_end' | null | undefined
  items?: ItemChange[] | undefined
  /** Another price for an item; `first` is the plan, as the portal's form means it. */
  price?: { item: string | undefined; price: string; quantity: number | undefined } | undefined
  pauseCollection?: Stripe.Subscription.PauseCollection | null | undefined
  trialEnd?: 'now' | Seconds | undefined
  trialSettings?: { end_behavior: Partial<Stripe.Subscription.TrialSettings.EndBehavior> } | undefined
  /** Null takes all away. */
  discounts?: DiscountRequest[] | null | undefined
  description?: string | null | undefined
  metadata?: Record<string, string> | null | undefined
}

export function update(store: Store, emit: Emitter, state: SubscriptionState, change: Change): void {
  refuseEnded(state)
  const { object } = state
  refuseAtOnce(store, object, change)
  const items = [...(change.items ?? []), ...(change.price ? [itemOf(object, change.price)] : [])]
  if (items.length > 0 || change.resetsAnchor) changeItems(store, emit, state, { ...change, changes: items })
  changeFields(store, object, change)
  if (change.discounts === null) object.discounts = []
  else if (change.discounts !== undefined && change.discounts.length > 0) {
    object.discounts = []
    redeem(store, emit, object, change.discounts)
  }
  if (items.length > 0) followSubscription(store, emit, object)
  if (change.trialEnd === 'now') {
    if (object.status === 'trialing') return endTrial(store, emit, state)
  } else if (change.trialEnd !== undefined) extendTrial(store, state, change.trialEnd, change)
  emit('customer.subscription.updated', object)
}

function changeFields(store: Store, object: Stripe.Subscription, change: Change): void {
  if (change.cancelAtPeriodEnd !== undefined) {
    object.cancel_at_period_end = change.cancelAtPeriodEnd
    object.cancel_at = change.cancelAtPeriodEnd ? lastPeriodEnd(object) : null
    object.canceled_at = change.cancelAtPeriodEnd ? store.now : null
  }
  if (change.cancelAt !== undefined) {
    object.cancel_at = cancelTime(object, change.cancelAt)
    object.cancel_at_period_end = false
    object.canceled_at = change.cancelAt === null ? null : store.now
  }
  if (change.pauseCollection !== undefined) object.pause_collection = change.pauseCollection
  if (change.description !== undefined) object.description = change.description
  if (change.metadata !== undefined) object.metadata = mergedMetadata(object.metadata, change.metadata)
  if (change.trialSettings) {
    object.trial_settings = {
      end_behavior: {
        ...(object.trial_settings?.end_behavior as Stripe.Subscription.TrialSettings.EndBehavior),
        ...change.trialSettings.end_behavior,
      },
    }
  }
}

/** Keys come and go one by one: an empty value takes one away, null takes all. */
export function mergedMetadata(
  metadata: Stripe.Metadata,
  change: Record<string, string> | null,
): Stripe.Metadata {
  if (change === null) return {}
  return Object.fromEntries(Object.entries({ ...metadata, ...change }).filter(([, value]) => value !== ''))
}

function cancelTime(object: Stripe.Subscription, at: NonNullable<Change['cancelAt']> | null): Seconds | null {
  if (at === 'min_period_end') return firstPeriodEnd(object)
  return at === 'max_period_end' ? lastPeriodEnd(object) : at
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
