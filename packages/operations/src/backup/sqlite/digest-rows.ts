import { hash } from 'node:crypto'
import { quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import type { TableDigest } from '../model/manifest.ts'
import { RowBytes } from './row-bytes.ts'
import type { StoredTable } from './stored-tables.ts'

/** Rows after which it is said how far reading is. */
const tellEvery = 5000

/** A table's rows as a number that does not depend on their order: the sum of a hash of each. */
export function digestRows(
  database: SqliteDatabase,
  table: StoredTable,
  onBytes: (bytes: number) => void,
): TableDigest {
  const statement = database.prepare(selectSql(table)).raw().safeIntegers()
  const row = new RowBytes()
  const lanes = new Uint32Array(8)
  let rows = 0
  let untoldBytes = 0
  for (const values of statement.iterate() as Iterable<unknown[]>) {
    const bytes = row.of(values)
    const hashed = hash('sha256', bytes, 'buffer')
    for (let lane = 0; lane < 8; lane++) lanes[lane] = (lanes[lane] as number) + hashed.readUInt32LE(lane * 4)
    rows++
    untoldBytes += bytes.length
    if (rows % tellEvery !== 0) continue
    onBytes(untoldBytes)
    untoldBytes = 0
  }
  onBytes(untoldBytes)
  return { name: table.name, rows, digest: Buffer.from(lanes.buffer).toString('hex') }
}

/** SQLite takes no expression that is deeper than 1,000 terms. */
const typesAtATime = 500

/**
 * The types of a row's values in a text or a few, then the values. A text is read as its bytes: as text, those that are not valid
 * would be replaced, and what follows a NUL could be lost.
 */
function selectSql({ name, columns, rowid }: StoredTable): string {
  const quoted = columns.map(quoteIdentifier)
  const letters = quoted.map((column) => `substr(typeof(${column}), 1, 1)`)
  const types: string[] = []
  for (let at = 0; at < letters.length; at += typesAtATime)
    types.push(letters.slice(at, at + typesAtATime).join(' || '))
  const values = quoted.map((column) => `iif(typeof(${column}) = 'text', CAST(${column} AS BLOB), ${column})`)
  const all = [...types, ...(rowid === undefined ? [] : [rowid]), ...values]
  return `SELECT ${all.join(', ')} FROM main.${quoteIdentifier(name)}`
}
