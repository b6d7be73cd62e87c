import { EventStatus } from '../../state/statuses.ts'
import type { NewEvent } from '../../store.ts'
import type { Stored } from '../models.ts'
import type { Scope } from '../scope.ts'
import { wakeChannel } from '../wakeups.ts'
import { rowsOf, type Value } from './statement.ts'

/** A statement holds as many rows as SQLite takes values (32,766), with room. */
export const maxReportedRows = 1000

/**
 * Stores events in one statement, which a burst of deliveries waits for; those that are there are left out. Returns
 * Stripe's ids of the new ones.
 */
export async function insertEvents(scope: Scope, events: readonly NewEvent[]): Promise<string[]> {
  if (events.length === 0) return []
  const stored = await rowsOf<{ id: string }>(scope, (values, { event: { table, column } }) => {
    const rows = events.map(valuesOf)
    const names = rows[0]?.map(([field]) => column(field)).join(', ')
    const lists = rows.map((row) => `(${row.map(([, value]) => values.place(value)).join(', ')})`)
    const key = column('stripeEventId')
    const insert = `INSERT INTO ${table} (${names}) VALUES ${lists.join(', ')} ON CONFLICT (${key}) DO NOTHING RETURNING ${key} AS id`
    const wakes =
      values.provider === 'postgres' && events.some(({ status }) => status === EventStatus.PENDING)
    // Workers of other processes hear of it when it is committed.
    return wakes
      ? `WITH stored AS (${insert}) SELECT id, pg_notify('${wakeChannel}', '')::text FROM stored`
      : insert
  })
  return stored.map(({ id }) => id)
}

function valuesOf(event: NewEvent): [field: Parameters<Stored['event']['column']>[0], value: Value][] {
  return [
    ['stripeEventId', event.stripeEventId],
    ['source', event.source],
    ['type', event.type],
    ['objectId', event.objectId],
    ['customerId', event.stripeCustomerId],
    ['stripeAccountId', event.stripeAccountId],
    ['apiVersion', event.apiVersion],
    ['livemode', event.livemode],
    ['stripeCreatedAt', event.stripeCreatedAt],
    ['receivedAt', event.receivedAt],
    ['payload', event.payload],
    ['status', event.status.toLowerCase()],
    ['attempts', 0],
    ['nextAttemptAt', event.receivedAt],
  ]
}
