import type { Stripe } from 'stripe'
import { assertNever } from '@outgrow/kit'
import type { HandledEventType } from '../inbox/event-types.ts'
import { isRunning, statusOf } from '../state/statuses.ts'
import type { StripeSubscriptionState } from './stripe-state.ts'

/** Something to be done once, outside of the database: a mail, an alert. */
export interface Effect {
  /** One a (topic, object): whoever sends it can tell a repeat by it. */
  key: string
  topic: string
  payload: { customerId: string; objectId: string }
}

/** The effects of what happened, by the object that the event names. Nothing else of the event is used. */
export async function effectsOfEvent(
  stripe: Stripe,
  type: HandledEventType,
  objectId: string,
  customerId: string,
): Promise<Effect[]> {
  const effect = (topic: string) => [
    { key: `${topic}:${objectId}`, topic, payload: { customerId, objectId } },
  ]
  switch (type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded': {
      // Completed is not paid: a bank debit may still fail.
      const { payment_status: payment } = await stripe.checkout.sessions.retrieve(objectId)
      return payment === 'unpaid' ? [] : effect('checkout.completed')
    }
    case 'charge.refunded': {
      // A charge may be refunded in parts: one effect a refund.
      const refunds = await stripe.refunds
        .list({ charge: objectId, limit: 100 })
        .autoPagingToArray({ limit: 1000 })
      return refunds.map(({ id }) => ({
        key: `refund.made:${id}`,
        topic: 'refund.made',
        payload: { customerId, objectId: id },
      }))
    }
    case 'checkout.session.async_payment_failed':
      return effect('checkout.payment_failed')
    case 'invoice.paid':
    case 'invoice.payment_failed':
    case 'invoice.payment_action_required':
    case 'invoice.finalization_failed':
    case 'refund.failed':
    case 'charge.dispute.created':
    case 'charge.dispute.closed':
    case 'customer.deleted':
    case 'customer.subscription.trial_will_end':
      return effect(type)
    case 'checkout.session.expired':
    case 'customer.subscription.created':
    case 'customer.subscription.updated':
    case 'customer.subscription.deleted':
    case 'customer.subscription.paused':
    case 'customer.subscription.resumed':
    case 'entitlements.active_entitlement_summary.updated':
      return [] // their effects follow from the state below
    default:
      return assertNever(type)
  }
}

/** The effects of the state that Stripe is in: the same however many events told of it. */
export function effectsOfState(customerId: string, subscriptions: StripeSubscriptionState[]): Effect[] {
  const effect = (topic: string, objectId: string) => ({
    key: `${topic}:${objectId}`,
    topic,
    payload: { customerId, objectId },
  })
  const effects = subscriptions.flatMap(({ id, status }) => {
    if (status === 'active' || status === 'trialing') return [effect('subscription.started', id)]
    return status === 'canceled' ? [effect('subscription.ended', id)] : []
  })
  const running = runningOf(subscriptions)
  // Two open Checkout sessions make two subscriptions: the oldest stays, the others are for a person to end and refund.
  return [...effects, ...running.slice(1).map(({ id }) => effect('subscription.double', id))]
}

/** Subscriptions that run, the oldest first. */
function runningOf(subscriptions: StripeSubscriptionState[]): StripeSubscriptionState[] {
  return subscriptions
    .filter(({ status }) => isRunning(statusOf(status)))
    .toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : 1))
}
