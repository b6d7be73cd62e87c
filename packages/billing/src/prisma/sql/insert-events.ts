import { EventStatus } from '../../state/statuses.ts'
import type { NewEvent } from '../../store.ts'
import { storedTime } from '../../stored-time.ts'
import type { Stored } from '../models.ts'
import type { Scope } from '../scope.ts'
import { wakeChannel } from '../wakeups.ts'
import { rowsOf, type Provider } from './statement.ts'

/** How many rows one statement takes. */
export const maxReportedRows = 1000

/**
 * Stores events, which a burst of deliveries waits for; those that are there are left out. One statement for each status,
 * whose rows are one value: its text is the same however many they are, and is parsed once. Returns Stripe's ids of the new ones.
 */
export async function insertEvents(scope: Scope, events: readonly NewEvent[]): Promise<string[]> {
  const fresh: string[] = []
  for (const [status, same] of Map.groupBy(events, (event) => event.status)) {
    const rows = await rowsOf<{ id: string }>(scope, (values, stored) => {
      const { provider } = values
      const place = values.place(JSON.stringify(same.map((event) => valuesOf(event, provider))))
      return statement(provider, stored, status, place)
    })
    fresh.push(...rows.map(({ id }) => id))
  }
  return fresh
}

function statement(
  provider: Provider,
  { event: { table, column } }: Stored,
  status: NewEvent['status'],
  rows: string,
): string {
  const isPostgres = provider === 'postgres'
  const names = [...columns.map(([name]) => name), 'status' as const, 'attempts' as const].map(column)
  const read = columns.map(([, type], at) =>
    isPostgres ? `(one ->> ${at})::${type}` : `one.value ->> ${at}`,
  )
  const from = isPostgres ? `json_array_elements(${rows}::json) AS one` : `json_each(${rows}) AS one`
  const key = column('stripeEventId')
  // Without a WHERE, SQLite takes ON CONFLICT for a join's ON.
  const insert = `INSERT INTO ${table} (${names.join(', ')}) SELECT ${read.join(', ')}, '${status.toLowerCase()}', 0 FROM ${from} WHERE 1 = 1 ON CONFLICT (${key}) DO NOTHING RETURNING ${key} AS id`
  // Workers of other processes hear of it when it is committed.
  return isPostgres && status === EventStatus.PENDING
    ? `WITH stored AS (${insert}) SELECT id, pg_notify('${wakeChannel}', '')::text FROM stored`
    : insert
}

const columns = [
  ['stripeEventId', 'text'],
  ['source', 'text'],
  ['type', 'text'],
  ['objectId', 'text'],
  ['customerId', 'text'],
  ['stripeAccountId', 'text'],
  ['apiVersion', 'text'],
  ['payload', 'text'],
  ['livemode', 'boolean'],
  ['awaitsHook', 'boolean'],
  ['stripeCreatedAt', 'timestamptz'],
  ['receivedAt', 'timestamptz'],
  ['nextAttemptAt', 'timestamptz'],
] as const

/** In the order of the columns. */
function valuesOf(event: NewEvent, provider: Provider): unknown[] {
  const time = (date: Date) => storedTime(provider, date)
  return [
    event.stripeEventId,
    event.source,
    event.type,
    event.objectId,
    event.stripeCustomerId,
    event.stripeAccountId,
    event.apiVersion,
    event.payload,
    event.livemode,
    event.awaitsHook,
    event.stripeCreatedAt && time(event.stripeCreatedAt),
    time(event.receivedAt),
    time(event.receivedAt),
  ]
}
