import { EventStatus } from '../state/statuses.ts'
import type { BillingStore } from '../store.ts'
import { isHandled } from './event-types.ts'
import { gatherEvent } from './gather-events.ts'
import type { ReceivedEvent } from './parse-event.ts'

/**
 * Stores an event once. Returns false when it was there.
 * @param source who brought it: `stripe`, or `reconcile` for one that was never delivered
 */
export function storeEvent(
  store: BillingStore,
  { customerId, ...event }: ReceivedEvent,
  payload: string,
  source = 'stripe',
): Promise<boolean> {
  const isOwn = event.stripeAccountId === null
  const status = isOwn && isHandled(event.type) ? EventStatus.PENDING : EventStatus.IGNORED
  const receivedAt = new Date()
  return gatherEvent(store, { ...event, stripeCustomerId: customerId, payload, source, status, receivedAt })
}
