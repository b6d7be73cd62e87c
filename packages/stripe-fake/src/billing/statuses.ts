import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import type { Emitter } from '../emitter.ts'
import type { Store, SubscriptionState } from '../store.ts'

const ended = new Set<Stripe.Subscription.Status>(['canceled', 'incomplete_expired'])

export function hasEnded({ object }: Pick<SubscriptionState, 'object'>): boolean {
  return ended.has(object.status)
}

export function refuseEnded(state: SubscriptionState): void {
  if (!hasEnded(state)) return
  throw new ApiError(404, `No such subscription: '${state.object.id}'`, {
    code: 'resource_missing',
    param: 'id',
  })
}

/** Changes a status and tells so. */
export function setStatus(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  status: Stripe.Subscription.Status,
): void {
  const { object } = state
  if (object.status === status) return
  object.status = status
  if (status !== 'paused') delete object.status_details
  if (hasEnded(state)) object.ended_at = store.now
  emit(status === 'canceled' ? 'customer.subscription.deleted' : 'customer.subscription.updated', object)
}
