import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import type { TableDigest } from '../model/manifest.ts'
import { RowBytes } from './row-bytes.ts'
import type { StoredTable } from './stored-tables.ts'

/** Rows between which somebody else may run, and whoever wants to stop is heard. */
const pauseEvery = 5000

/** A table's rows as a number that does not depend on their order: the sum of a hash of each. */
export async function digestRows(
  database: SqliteDatabase,
  table: StoredTable,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => {},
): Promise<TableDigest> {
  const statement = database.prepare(selectSql(table)).raw().safeIntegers()
  const row = new RowBytes()
  const lanes = new Uint32Array(8)
  let rows = 0
  let bytesSince = 0
  for (const values of statement.iterate() as Iterable<unknown[]>) {
    const bytes = row.of(values)
    const hashed = hash('sha256', bytes, 'buffer')
    for (let lane = 0; lane < 8; lane++) lanes[lane] = (lanes[lane] as number) + hashed.readUInt32LE(lane * 4)
    rows++
    bytesSince += bytes.length
    if (rows % pauseEvery !== 0) continue
    onBytes(bytesSince)
    bytesSince = 0
    await setImmediate()
    signal.throwIfAborted()
  }
  onBytes(bytesSince)
  return { name: table.name, rows, digest: Buffer.from(lanes.buffer).toString('hex') }
}

/**
 * The types of a row's values in one text, then the values. A text is read as its bytes: as text, those that are not valid
 * would be replaced, and what follows a NUL could be lost.
 */
function selectSql({ name, columns, rowid }: StoredTable): string {
  const quoted = columns.map(quoteIdentifier)
  const types = quoted.map((column) => `substr(typeof(${column}), 1, 1)`).join(' || ')
  const values = quoted.map((column) => `iif(typeof(${column}) = 'text', CAST(${column} AS BLOB), ${column})`)
  const all = [types === '' ? "''" : types, ...(rowid === undefined ? [] : [rowid]), ...values]
  return `SELECT ${all.join(', ')} FROM main.${quoteIdentifier(name)}`
}
