import type { Database } from '@outgrow/db'
import { storedTime } from '../stored-time.ts'

/** A table of work: rows are claimed with a lease, by whoever comes first. `:now` and `:until` are times. */
export interface Queue {
  table: string
  /** SQL of the rows that may be taken. */
  claimable: string
  /** Assignments that mark a row as taken. */
  taken: string
}

export const inboxQueue: Queue = {
  table: 'webhook_events',
  claimable: `(status = 'pending' AND next_attempt_at <= :now) OR (status = 'processing' AND lease_until < :now)`,
  taken: `status = 'processing', attempts = attempts + 1, lease_until = :until`,
}

export const outboxQueue: Queue = {
  table: 'outbox_messages',
  claimable: `sent_at IS NULL AND dead_at IS NULL AND next_attempt_at <= :now AND (lease_until IS NULL OR lease_until < :now)`,
  taken: `attempts = attempts + 1, lease_until = :until`,
}

/**
 * Takes up to `limit` rows for `leaseMs` and returns their ids. One statement: on Postgres rows that another worker is
 * taking are skipped, on SQLite there is one writer. A row whose lease has run out is taken again.
 */
export async function claim(
  { client, provider }: Database,
  { table, claimable, taken }: Queue,
  { now, leaseMs, limit }: { now: Date; leaseMs: number; limit: number },
): Promise<number[]> {
  const times = { now, until: new Date(now.getTime() + leaseMs) }
  const query = (sql: string) => {
    const values: (Date | string)[] = []
    const text = sql.replaceAll(/:(now|until)\b/g, (_, name: keyof typeof times) => {
      values.push(storedTime(provider, times[name]))
      return provider === 'postgres' ? `$${values.length}` : '?'
    })
    return client.$queryRawUnsafe<{ id: number | bigint }[]>(text, ...values)
  }
  const ready = `SELECT id FROM ${table} WHERE ${claimable} ORDER BY next_attempt_at, id LIMIT ${limit}`
  // A look first: an idle worker must not take SQLite's write lock.
  if ((await query(ready)).length === 0) return []
  const skip = provider === 'postgres' ? ' FOR UPDATE SKIP LOCKED' : ''
  const rows = await query(`UPDATE ${table} SET ${taken} WHERE id IN (${ready}${skip}) RETURNING id`)
  return rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b)
}
