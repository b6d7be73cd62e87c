import type { Stripe } from 'stripe'
import { assertNever } from '@outgrow/kit'
import type { HandledEventType } from '../inbox/event-types.ts'
import { isRunning, statusOf } from '../state/statuses.ts'
import type { Message, MessagePayload } from '../store.ts'
import type { StripeSubscriptionState } from './stripe-state.ts'

/** Something to be done once, outside of the database: a mail, an alert. Its key is one a (topic, object, attempt). */
export interface Effect extends Message {
  /** When it happened at Stripe, not when it was heard of. */
  happenedAt: Date
}

/** An event by what is used of it: only what Stripe has under these ids counts. */
export interface EventReference {
  stripeEventId: string
  type: HandledEventType
  objectId: string
  happenedAt: Date
}

/** The effects of what happened, by the object that the event names. */
export async function effectsOfEvent(
  stripe: Stripe,
  { stripeEventId, type, objectId, happenedAt }: EventReference,
  customerId: string,
): Promise<Effect[]> {
  const effect = (topic: string) => [effectOf(topic, { customerId, objectId }, happenedAt)]
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
      return refunds.map(({ id, created }) =>
        effectOf('refund.made', { customerId, objectId: id }, new Date(created * 1000)),
      )
    }
    case 'invoice.payment_failed': {
      const attempt = await attemptOf(stripe, stripeEventId, objectId)
      return [effectOf(type, { customerId, objectId, attempt }, happenedAt)]
    }
    case 'checkout.session.async_payment_failed':
      return effect('checkout.payment_failed')
    case 'invoice.paid':
    case 'invoice.payment_action_required':
    case 'invoice.finalization_failed':
    case 'refund.failed':
    case 'charge.dispute.created':
    case 'charge.dispute.closed':
    case 'customer.deleted':
      return effect(type)
    case 'customer.subscription.trial_will_end': {
      // Of a trial that is made longer, the new end is announced too.
      const { trial_end: end } = await stripe.subscriptions.retrieve(objectId)
      return [effectOf(type, { customerId, objectId }, happenedAt, end)]
    }
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

/**
 * Which attempt at an invoice failed. The invoice only says how many there have been by now; which of them an event is
 * about, the event's own copy of it says, as Stripe keeps it for 30 days.
 */
async function attemptOf(stripe: Stripe, eventId: string, invoiceId: string): Promise<number> {
  try {
    const { type, data } = await stripe.events.retrieve(eventId)
    if (type === 'invoice.payment_failed' && data.object.id === invoiceId)
      return Math.max(1, data.object.attempt_count)
  } catch (error) {
    // Thin events are kept elsewhere, old ones not at all.
    if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
  }
  const { attempt_count: attempts } = await stripe.invoices.retrieve(invoiceId)
  return Math.max(1, attempts)
}

/** The effects of the state that Stripe is in: the same however many events told of it. */
export function effectsOfState(customerId: string, subscriptions: StripeSubscriptionState[]): Effect[] {
  const effect = (topic: string, objectId: string, at: Date) => effectOf(topic, { customerId, objectId }, at)
  const effects = subscriptions.flatMap(({ id, status, createdAt, endedAt }) => {
    if (status === 'active' || status === 'trialing') return [effect('subscription.started', id, createdAt)]
    return status === 'canceled' ? [effect('subscription.ended', id, endedAt ?? createdAt)] : []
  })
  // Two open Checkout sessions make two subscriptions: the oldest stays, the others are for a person to end and refund.
  const doubles = runningOf(subscriptions).slice(1)
  return [...effects, ...doubles.map(({ id, createdAt }) => effect('subscription.double', id, createdAt))]
}

/** The effects of subscriptions that Stripe no longer lists. */
export function effectsOfGone(customerId: string, gone: readonly { id: string; endedAt: Date }[]): Effect[] {
  return gone.map(({ id, endedAt }) => effectOf('subscription.ended', { customerId, objectId: id }, endedAt))
}

/** @param phase which of several of one object it is; the attempt where there is one */
function effectOf(
  topic: string,
  payload: MessagePayload,
  happenedAt: Date,
  phase: number | null = payload.attempt ?? null,
): Effect {
  const key = [topic, payload.objectId, ...(phase === null ? [] : [phase])].join(':')
  return { key, topic, payload, happenedAt }
}

/** Subscriptions that run, the oldest first. */
function runningOf(subscriptions: StripeSubscriptionState[]): StripeSubscriptionState[] {
  return subscriptions
    .filter(({ status }) => isRunning(statusOf(status)))
    .toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : 1))
}
