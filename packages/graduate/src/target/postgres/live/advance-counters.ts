import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { FollowedTable } from '../../../model/change.ts'
import type { Staging } from '../../../model/staging.ts'
import { qualified } from '../constraints.ts'
import { countedColumns, sequencesOf } from '../counters.ts'

/** By table, SQL that moves its counters on, given the highest number that the source has ever given there. */
export type CounterSql = ReadonlyMap<number, (counted: bigint) => string[]>

/**
 * Finds the counters of the tables. What their SQL does is not taken back with a transaction, and need not be: a counter
 * only goes on, and nobody else draws from it yet.
 */
export async function counterSql(
  client: PostgresClient,
  staging: Staging,
  tables: readonly FollowedTable[],
): Promise<CounterSql> {
  const columns = countedColumns(
    tables.map(({ planned }) => planned),
    new Map(),
  )
  const sequences = await sequencesOf(client, staging, columns)
  return new Map(
    tables.map(({ number, planned }) => {
      const own = sequences.filter(({ column }) => column.table === planned.target)
      return [
        number,
        (counted) =>
          own.map(({ oid, column }) =>
            advance(
              oid,
              `SELECT max(${quoteIdentifier(column.name)}) FROM ${qualified(column.table)}`,
              counted,
            ),
          ),
      ]
    }),
  )
}

/** Past the highest id of the table, past what the source has counted, and never back. */
function advance(oid: string, highest: string, counted: bigint): string {
  return `SELECT CASE WHEN n.last >= q.seqmin THEN setval(q.seqrelid::regclass, least(n.last, q.seqmax)::int8, true) END
    FROM pg_sequence q CROSS JOIN LATERAL (
      SELECT greatest(coalesce(trunc((${highest})::numeric), 0), ${counted}, coalesce(pg_sequence_last_value(q.seqrelid::regclass), 0)) AS last) n
   WHERE q.seqrelid = ${oid} AND q.seqincrement > 0`
}
