import { EventStatus } from '../../state/statuses.ts'
import type { NewEvent } from '../../store.ts'
import { storedTime } from '../../stored-time.ts'
import type { Stored } from '../models.ts'
import type { Scope } from '../scope.ts'
import { wakeChannel } from '../wakeups.ts'
import { rowsOf, type Provider, type Scalar, type Values } from './statement.ts'

/** How many rows one statement takes. */
export const maxReportedRows = 1000

/**
 * Stores events, which a burst of deliveries waits for; those that are there are left out. One statement for each status,
 * whose text is the same however many rows it has. Returns Stripe's ids of the new ones.
 */
export async function insertEvents(scope: Scope, events: readonly NewEvent[]): Promise<string[]> {
  const fresh: string[] = []
  for (const [status, same] of Map.groupBy(events, (event) => event.status)) {
    const rows = await rowsOf<{ id: string }>(scope, (values, stored) =>
      statement(values, stored, status, same),
    )
    fresh.push(...rows.map(({ id }) => id))
  }
  return fresh
}

function statement(
  values: Values,
  { event: { table, column } }: Stored,
  status: NewEvent['status'],
  events: readonly NewEvent[],
): string {
  const isPostgres = values.provider === 'postgres'
  const names = [...columns.map(([name]) => name), 'status' as const, 'attempts' as const].map(column)
  const rows = events.map((event) => valuesOf(event, values.provider))
  const { read, from } = isPostgres ? ofColumns(values, rows) : ofRows(values, rows)
  const key = column('stripeEventId')
  // Without a WHERE, SQLite takes ON CONFLICT for a join's ON.
  const insert = `INSERT INTO ${table} (${names.join(', ')}) SELECT ${read}, '${status.toLowerCase()}', 0 FROM ${from} WHERE 1 = 1 ON CONFLICT (${key}) DO NOTHING RETURNING ${key} AS id`
  // Workers of other processes hear of it when it is committed: the subquery runs once, and not at all where no row is new.
  return isPostgres && status === EventStatus.PENDING
    ? `WITH stored AS (${insert}) SELECT id, (SELECT pg_notify('${wakeChannel}', '')::text) FROM stored`
    : insert
}

interface Given {
  read: string
  from: string
}

/** A value for each column: of rows as JSON, Postgres would parse each once for every column, payload and all. */
function ofColumns(values: Values, rows: readonly (readonly Scalar[])[]): Given {
  const arrays = columns.map(
    ([, type], at) => `${values.place(rows.map((row) => row[at] ?? null))}::${type}[]`,
  )
  return { read: 'one.*', from: `unnest(${arrays.join(', ')}) AS one` }
}

/** One value, for want of arrays. */
function ofRows(values: Values, rows: readonly (readonly Scalar[])[]): Given {
  const read = columns.map((_, at) => `one.value ->> ${at}`).join(', ')
  return { read, from: `json_each(${values.place(JSON.stringify(rows))}) AS one` }
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
function valuesOf(event: NewEvent, provider: Provider): Scalar[] {
  const time = (date: Date) => (provider === 'postgres' ? date.toISOString() : storedTime(provider, date))
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
