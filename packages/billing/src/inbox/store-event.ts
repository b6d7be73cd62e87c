import { EventStatus } from '../state/statuses.ts'
import type { BillingStore } from '../store.ts'
import { isHandled } from './event-types.ts'
import type { ReceivedEvent } from './parse-event.ts'

/**
 * Stores an event once. Returns false when it was there.
 * @param source who brought it: `stripe`, or `reconcile` for one that was never delivered
 */
export async function storeEvent(
  { inbox }: BillingStore,
  { customerId, ...event }: ReceivedEvent,
  payload: string,
  source = 'stripe',
): Promise<boolean> {
  const status = isHandled(event.type) ? EventStatus.PENDING : EventStatus.IGNORED
  const receivedAt = new Date()
  const fresh = await inbox.store([
    { ...event, stripeCustomerId: customerId, payload, source, status, receivedAt },
  ])
  return fresh.size > 0
}
