import { withRetry, type Database } from '@outgrow/db'
import { storedTime } from '../stored-time.ts'
import { isHandled } from './event-types.ts'
import type { ReceivedEvent } from './parse-event.ts'

/**
 * Stores an event once, in one statement: this is what a burst of deliveries waits for. Returns false when it was there.
 * @param source who brought it: `stripe`, or `reconcile` for one that was never delivered
 */
export async function storeEvent(
  { client, provider }: Database,
  event: ReceivedEvent,
  payload: string,
  source = 'stripe',
): Promise<boolean> {
  const isPostgres = provider === 'postgres'
  const now = storedTime(provider, new Date())
  const row: Record<string, unknown> = {
    stripe_event_id: event.stripeEventId,
    source,
    type: event.type,
    object_id: event.objectId,
    customer_id: event.customerId,
    api_version: event.apiVersion,
    livemode: isPostgres ? event.livemode : Number(event.livemode),
    stripe_created_at: event.stripeCreatedAt && storedTime(provider, event.stripeCreatedAt),
    received_at: now,
    payload,
    status: isHandled(event.type) ? 'pending' : 'ignored',
    attempts: 0,
    next_attempt_at: now,
  }
  const names = Object.keys(row)
  const places = names.map((name, at) => {
    if (!isPostgres) return '?'
    return name === 'status' ? `$${at + 1}::event_status` : `$${at + 1}`
  })
  const sql = `INSERT INTO webhook_events (${names.join(', ')}) VALUES (${places.join(', ')})
    ON CONFLICT (stripe_event_id) DO NOTHING RETURNING id`
  const stored = await withRetry(() => client.$queryRawUnsafe<{ id: number }[]>(sql, ...Object.values(row)))
  return stored.length > 0
}
