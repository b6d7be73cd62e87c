import type { EventLeaseRequest } from '../../store.ts'
import type { Stored } from '../models.ts'
import type { Scope } from '../scope.ts'
import { rowsOf, type Values } from './statement.ts'

/** How many of the events that wait longest are looked at for whose they are. */
const lookedAt = 500
/** One statement must not hold SQLite's lock for long: what is left is taken with the next lease. */
const maxTaken = 500

/** Whose events are taken: a customer's, or a single event's own. */
interface Owner {
  customer: string | null
  single: number | bigint | null
}

/**
 * Takes the events of the customers that wait longest, and returns their ids. On Postgres rows that another worker is taking
 * are skipped, on SQLite there is one writer.
 */
export async function leaseEvents(scope: Scope, request: EventLeaseRequest): Promise<number[]> {
  // A look first: an idle worker must not take SQLite's write lock.
  const owners = await rowsOf<Owner>(scope, (values, stored) => waiting(values, stored, request))
  if (owners.length === 0) return []
  const rows = await rowsOf<{ id: number | bigint }>(scope, (values, stored) =>
    taking(values, stored, request, owners),
  )
  return rows.map(({ id }) => Number(id))
}

/** Each part is read in the order of its index. */
function waiting(values: Values, stored: Stored, request: EventLeaseRequest): string {
  const { now, limit, inWork } = request
  const { table, id, status, next, lease, isOwn, customer } = columnsOf(stored)
  const owner = `CASE WHEN ${isOwn} THEN ${customer} END`
  const read = `SELECT ${owner} AS customer, CASE WHEN ${owner} IS NULL THEN ${id} END AS single, ${next} AS next, ${id} AS id`
  const part = (due: string) =>
    `SELECT * FROM (${read} FROM ${table} WHERE ${due} AND ${isOurs(values, stored, request)} AND ${isFree(values, stored, inWork)} ORDER BY ${next} LIMIT ${lookedAt})`
  const fresh = part(`${status} = 'pending' AND ${next} <= ${values.place(now)}`)
  const lost = part(`${status} = 'processing' AND ${lease} < ${values.place(now)}`)
  return `SELECT customer, single FROM (${fresh} AS fresh UNION ALL ${lost} AS lost) AS due GROUP BY customer, single ORDER BY MIN(next), MIN(id) LIMIT ${limit}`
}

function taking(
  values: Values,
  stored: Stored,
  request: EventLeaseRequest,
  owners: readonly Owner[],
): string {
  const { now, until, inWork } = request
  const { table, id, status, next, lease, attempts, isOwn, customer } = columnsOf(stored)
  // Places are given in the order of the text.
  const taken = `${status} = 'processing', ${attempts} = ${attempts} + 1, ${lease} = ${values.place(until)}`
  const due = `(${status} = 'pending' AND ${next} <= ${values.place(now)} OR ${status} = 'processing' AND ${lease} < ${values.place(now)})`
  const places = (wanted: readonly (string | number)[]) => listOf(values, wanted)
  const ours = isOurs(values, stored, request)
  const customers = places(owners.flatMap((owner) => owner.customer ?? []))
  const free = isFree(values, stored, inWork)
  const singles = places(owners.flatMap(({ single }) => (single === null ? [] : Number(single))))
  const skip = values.provider === 'postgres' ? ' FOR UPDATE SKIP LOCKED' : ''
  const picked = `SELECT ${id} FROM ${table} WHERE ${due} AND ${ours} AND (${isOwn} AND ${customer} IN (${customers}) AND ${free} OR ${id} IN (${singles})) ORDER BY ${next}, ${id} LIMIT ${maxTaken}${skip}`
  return `UPDATE ${table} SET ${taken} WHERE ${id} IN (${picked}) RETURNING ${id} AS id`
}

/** Whether the event awaits no hook that this worker has not. */
function isOurs(values: Values, stored: Stored, { hooks }: EventLeaseRequest): string {
  const { awaitsHook, type } = columnsOf(stored)
  return `(NOT ${awaitsHook} OR ${type} IN (${listOf(values, hooks)}))`
}

function listOf(values: Values, list: readonly (string | number)[]): string {
  return list.map((one) => values.place(one)).join(', ') || 'NULL'
}

/** Whether nobody works on the event's customer. That only saves work: what is written is fenced. */
function isFree(values: Values, stored: Stored, { from, to }: EventLeaseRequest['inWork']): string {
  const { table, status, lease, isOwn, customer } = columnsOf(stored)
  const busy = `SELECT ${customer} FROM ${table} WHERE ${status} = 'processing' AND ${lease} BETWEEN ${values.place(from)} AND ${values.place(to)} AND ${isOwn} AND ${customer} IS NOT NULL`
  return `(NOT ${isOwn} OR ${customer} IS NULL OR ${customer} NOT IN (${busy}))`
}

function columnsOf({ event: { table, column } }: Stored) {
  return {
    table,
    id: column('id'),
    status: column('status'),
    next: column('nextAttemptAt'),
    lease: column('leaseUntil'),
    attempts: column('attempts'),
    customer: column('customerId'),
    type: column('type'),
    awaitsHook: column('awaitsHook'),
    /** A connected account's customers are others, whatever they are called. */
    isOwn: `(${column('stripeAccountId')} IS NULL)`,
  }
}
