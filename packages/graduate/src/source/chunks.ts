import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { RowRange } from '../copy/table-encoder.ts'
import type { PlannedTable } from '../plan.ts'

const rowsPerChunk = 100_000n
const mostChunks = 256n

/** Rowid ranges that cut a table into chunks; each is loaded in one transaction. The same for the same snapshot. */
export function chunksOf(
  database: SqliteDatabase,
  table: PlannedTable,
): { ranges: RowRange[]; span: number } {
  const { rowid, name } = table.source
  const quoted = quoteIdentifier(name)
  if (rowid === undefined) {
    const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${quoted}`).get() as { rows: number }
    return { ranges: rows === 0 ? [] : [undefined], span: rows }
  }
  // Two statements: SQLite looks up an end of the tree only when it is asked for one.
  const end = (which: 'min' | 'max') =>
    database.prepare(`SELECT ${which}(${rowid}) FROM ${quoted}`).pluck().safeIntegers(true).get() as
      | bigint
      | null
  const low = end('min')
  const high = end('max')
  if (low === null || high === null) return { ranges: [], span: 0 }
  const span = high - low + 1n
  const wanted = span / rowsPerChunk + 1n
  const count = wanted > mostChunks ? mostChunks : wanted
  const size = span / count + 1n
  const ranges: RowRange[] = []
  for (let at = low; at <= high; at += size) {
    ranges.push({ low: at, high: at + size - 1n > high ? high : at + size - 1n })
  }
  return { ranges, span: Number(span) }
}
