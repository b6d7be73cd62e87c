import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { PlannedTable } from '../../model/plan.ts'
import type { Chunk, RowRange } from '../../model/row.ts'

const rowsPerChunk = 100_000n
const maxChunks = 256n

/** Cuts a table into chunks by ranges of its rowid. `span` is about how many rows it has. */
export function chunksOf(database: SqliteDatabase, table: PlannedTable): { chunks: Chunk[]; span: number } {
  const { ranges, span } = rangesOf(database, table)
  return {
    chunks: ranges.map((range) => ({ low: range === undefined ? '' : String(range.low), range })),
    span,
  }
}

function rangesOf(database: SqliteDatabase, table: PlannedTable): { ranges: RowRange[]; span: number } {
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
  const count = wanted > maxChunks ? maxChunks : wanted
  const size = span / count + 1n
  const ranges: RowRange[] = []
  for (let at = low; at <= high; at += size) {
    ranges.push({ low: at, high: at + size - 1n > high ? high : at + size - 1n })
  }
  return { ranges, span: Number(span) }
}
