import type { LeaseRequest } from '../../store.ts'
import type { Stored } from '../models.ts'
import type { Scope } from '../scope.ts'
import { rowsOf, type Values } from './statement.ts'

/** A table of work: rows are taken with a lease, by whoever comes first. */
interface Queue {
  table: string
  id: string
  /** What comes first. */
  order: string
  /** The rows that may be taken. */
  due: (now: () => string) => string
  /** Assignments that mark a row as taken. */
  taken: (until: () => string) => string
}

export function outboxQueue({ message: { table, column } }: Stored): Queue {
  const [next, lease, attempts] = [column('nextAttemptAt'), column('leaseUntil'), column('attempts')]
  return {
    table,
    id: column('id'),
    order: next,
    due: (now) =>
      `${column('sentAt')} IS NULL AND ${column('deadAt')} IS NULL AND ${next} <= ${now()} AND (${lease} IS NULL OR ${lease} < ${now()})`,
    taken: (until) => `${attempts} = ${attempts} + 1, ${lease} = ${until()}`,
  }
}

/**
 * Takes rows and returns their ids. One statement: on Postgres rows that another worker is taking are skipped, on SQLite
 * there is one writer. A row whose lease has run out is taken again.
 */
export async function lease(
  scope: Scope,
  queueOf: (stored: Stored) => Queue,
  { now, until, limit }: LeaseRequest,
): Promise<number[]> {
  const ready = (values: Values, { table, id, order, due }: Queue) =>
    `SELECT ${id} FROM ${table} WHERE ${due(() => values.place(now))} ORDER BY ${order}, ${id} LIMIT ${limit}`
  // A look first: an idle worker must not take SQLite's write lock.
  const waiting = await rowsOf(scope, (values, stored) => ready(values, queueOf(stored)))
  if (waiting.length === 0) return []
  const rows = await rowsOf<{ id: number | bigint }>(scope, (values, stored) => {
    const queue = queueOf(stored)
    // Places are given in the order of the text.
    const assignments = queue.taken(() => values.place(until))
    const skip = values.provider === 'postgres' ? ' FOR UPDATE SKIP LOCKED' : ''
    return `UPDATE ${queue.table} SET ${assignments} WHERE ${queue.id} IN (${ready(values, queue)}${skip}) RETURNING ${queue.id} AS id`
  })
  return rows.map((row) => Number(row.id)).toSorted((a, b) => a - b)
}
