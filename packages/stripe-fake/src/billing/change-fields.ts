import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import type { Store } from '../store.ts'
import { redeem, type DiscountRequest } from './discounts.ts'
import { firstPeriodEnd, lastPeriodEnd } from './periods.ts'

export interface FieldsChange {
  cancelAtPeriodEnd?: boolean | undefined
  cancelAt?: Seconds | 'min_period_end' | 'max_period_end' | null | undefined
  pauseCollection?: Stripe.Subscription.PauseCollection | null | undefined
  trialSettings?: { end_behavior: Partial<Stripe.Subscription.TrialSettings.EndBehavior> } | undefined
  /** Null takes all away. */
  discounts?: DiscountRequest[] | null | undefined
  description?: string | null | undefined
  metadata?: Record<string, string> | null | undefined
}

/** Changes what is no item. */
export function changeFields(
  store: Store,
  emit: Emitter,
  object: Stripe.Subscription,
  change: FieldsChange,
): void {
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
  if (change.discounts === null) object.discounts = []
  else if (change.discounts !== undefined && change.discounts.length > 0) {
    object.discounts = []
    redeem(store, emit, object, change.discounts)
  }
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

function cancelTime(
  object: Stripe.Subscription,
  at: NonNullable<FieldsChange['cancelAt']> | null,
): Seconds | null {
  if (at === 'min_period_end') return firstPeriodEnd(object)
  return at === 'max_period_end' ? lastPeriodEnd(object) : at
}
