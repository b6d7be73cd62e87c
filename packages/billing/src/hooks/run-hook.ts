import { policyOf, timeOf, type Billing } from '../context.ts'
import { EventStatus } from '../state/statuses.ts'
import type { BillingTables, LeasedEvent, Message, Settlement } from '../store.ts'
import { skipped } from '../sync/messages.ts'
import type { EventHook, HookedEvent } from './on-event.ts'

/**
 * Runs the hook of an event, and settles it, in one transaction: both are done, or neither.
 * @param status IGNORED where the rest of the event may still be wanted: when its customer is linked
 * @returns false when the event's lease was lost, and nothing was done
 * @throws what the hook throws
 */
export function runHook<Client>(
  billing: Billing<Client>,
  hook: EventHook<Client>,
  event: LeasedEvent,
  status: Settlement['status'] = EventStatus.DONE,
): Promise<boolean> {
  return billing.store.transaction(async (tx) => {
    const at = timeOf(billing)
    // First, so that nobody else can run it meanwhile.
    const settled = await tx.inbox.settle([event], {
      status,
      outcome: 'hook ran',
      at,
      hookRan: true,
    })
    if (settled === 0) return false
    const hooked = await hookedEvent(tx, event)
    if (hook.outbox) {
      // A hook's event may be about nobody who has a baseline; old ones come from reconcile.
      const happenedAt = event.stripeCreatedAt ?? event.receivedAt
      const late = skipped(happenedAt, { baselineAt: happenedAt, now: at }, policyOf(billing))
      const messages = messagesOf(hook.outbox(hooked), hooked)
      await tx.outbox.put(
        messages.map((message) => ({ ...message, skipped: late })),
        at,
      )
    } else await hook.inTransaction(tx.client, hooked)
    return true
  })
}

async function hookedEvent({ inbox }: BillingTables, event: LeasedEvent): Promise<HookedEvent> {
  const { stripeEventId, type, stripeAccountId, stripeCustomerId, objectId, livemode, stripeCreatedAt } =
    event
  return {
    id: stripeEventId,
    type,
    account: stripeAccountId,
    customerId: stripeCustomerId,
    objectId,
    livemode,
    createdAt: stripeCreatedAt,
    payload: JSON.parse(await inbox.payload(event)),
  }
}

/** Their keys are apart from those of billing's own messages. */
function messagesOf(messages: ReturnType<NonNullable<EventHook<unknown>['outbox']>>, event: HookedEvent) {
  const byKey = new Map<string, Message>()
  for (const { topic, key = event.id, data } of messages) {
    byKey.set(`hook:${topic}:${key}`, {
      key: `hook:${topic}:${key}`,
      topic,
      payload: {
        customerId: event.customerId ?? '',
        objectId: event.objectId ?? event.id,
        ...(event.account === null ? {} : { account: event.account }),
        ...(data === undefined ? {} : { data }),
      },
    })
  }
  return [...byKey.values()]
}
