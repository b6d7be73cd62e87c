import { EventStatus } from '../state/statuses.ts'
import type { BillingStore } from '../store.ts'
import { hookOf, type EventHooks } from '../hooks/on-event.ts'
import { isHandled } from './event-types.ts'
import { gatherEvent } from './gather-events.ts'
import type { ReceivedEvent } from './parse-event.ts'

/**
 * Stores an event once. Returns false when it was there.
 * @param by who brought it: `stripe`, or `reconcile` for one that was never delivered; and the application's hooks
 */
export function storeEvent(
  store: BillingStore,
  { customerId, ...event }: ReceivedEvent,
  payload: string,
  { source = 'stripe', onEvent }: { source?: string; onEvent?: EventHooks | undefined } = {},
): Promise<boolean> {
  const awaitsHook = hookOf(onEvent, event.type) !== undefined
  const isOurs = event.stripeAccountId === null && isHandled(event.type)
  const status = isOurs || awaitsHook ? EventStatus.PENDING : EventStatus.IGNORED
  const receivedAt = new Date()
  return gatherEvent(store, {
    ...event,
    stripeCustomerId: customerId,
    payload,
    source,
    awaitsHook,
    status,
    receivedAt,
  })
}
