import { readTableDetails } from '@outgrow/databases'
import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { ChangedPart, FollowedTable, TableChanges } from '../../../model/change.ts'
import { keyBytes } from '../../../model/key-digests.ts'
import type { MoveOptions } from '../../../model/options.ts'
import type { PlannedColumn, PlannedTable } from '../../../model/plan.ts'
import type { RowSelection, RowsRead } from '../../../model/row.ts'
import { RowHasher } from '../../../model/row-hasher.ts'
import { BufferPool } from '../../../types/buffer-pool.ts'
import { isCast, isSentAsList } from '../../../types/value-types.ts'
import { RowEncoder } from '../encode-rows.ts'

const keysPerPart = 5000

/**
 * The rows of a table whose keys were collected, as they are in the connection's read transaction.
 * @param listed temporary table of the keys, in columns k1, k2, …, numbered by its rowid from 1
 * @param count how many there are
 */
export function changedRows(
  database: SqliteDatabase,
  table: FollowedTable,
  { listed, count }: { listed: string; count: number },
  options: MoveOptions,
): TableChanges {
  const pool = new BufferPool()
  const { planned } = table
  const keys = table.key.map((at) => planned.columns[at] as PlannedColumn)
  const names = keys.map(({ source }) => quoteIdentifier(source)).join(', ')
  const listedNames = keys.map((_, at) => `k${at + 1}`).join(', ')
  const isListed = `${keys.length > 1 ? `(${names})` : names} IN (SELECT ${listedNames} FROM temp.${quoteIdentifier(listed)} WHERE rowid BETWEEN ? AND ?)`
  const keyTable = listedKeys(planned, keys, listed)
  // A key that cannot be encoded has no row in the target; the row itself is what is reported.
  const strict: MoveOptions = { ...options, onBadValue: 'stop' }
  return {
    table,
    keys: count,
    *keyParts() {
      const seen = new Set<string>()
      for (let from = 1; from <= count; from += keysPerPart) {
        const values = [from, from + keysPerPart - 1]
        const own: Buffer[] = []
        // Two spellings of one value are one key of the target.
        eachRow(database, keyTable, strict, { where: 'rowid BETWEEN ? AND ?', values }, pool, (row) => {
          const id = row.toString('latin1')
          if (seen.has(id)) return
          seen.add(id)
          own.push(row)
        })
        const selection = { where: isListed, values }
        const part: ChangedPart = {
          keys: Buffer.concat(own),
          rows: (onBuffer) =>
            isExact(planned, keys)
              ? allRows(database, planned, options, selection, pool, onBuffer)
              : listedRows(database, table, options, selection, pool, own, onBuffer),
        }
        yield part
      }
    },
  }
}

/** Whether SQLite tells keys apart as the target does: under another collation it finds rows of other keys too. */
function isExact({ source }: PlannedTable, keys: PlannedColumn[]): boolean {
  const { collations } = readTableDetails(source.sql)
  return keys.every(({ source: name }) => !collations.has(name.toLowerCase()))
}

/** The list as a table whose rows are the keys. */
function listedKeys(planned: PlannedTable, keys: PlannedColumn[], listed: string): PlannedTable {
  const source = { ...planned.source, name: listed, rowid: 'rowid', primaryKey: [], uniqueKeys: [] }
  return { ...planned, source, columns: keys.map((key, at) => ({ ...key, source: `k${at + 1}` })), key: [] }
}

type OnBuffer = (buffer: Buffer) => Promise<void>
type Asked = [SqliteDatabase, PlannedTable, MoveOptions, RowSelection, BufferPool]

/** Hands the rows over as they are encoded: few are in memory at once, however large they are. */
async function allRows(
  ...[database, table, options, selection, pool, onBuffer]: [...Asked, OnBuffer]
): Promise<RowsRead> {
  const encoder = new RowEncoder(database, table, options, pool)
  for (const buffer of encoder.buffers(selection)) {
    const copy = Buffer.from(buffer)
    encoder.giveBack(buffer)
    await onBuffer(copy)
  }
  const { result } = encoder
  if (!table.columns.some(isCast)) return result
  // What the server makes of text is compared by whether it is there.
  const columns = table.columns.map((column) => ({ ...column, presenceOnly: isCast(column) }))
  const compared = eachRow(database, { ...table, columns }, options, selection, pool, () => {})
  return { ...result, digest: compared.digest }
}

/** Those rows only whose keys are listed to the last byte. */
async function listedRows(
  database: SqliteDatabase,
  { planned, key }: FollowedTable,
  options: MoveOptions,
  selection: RowSelection,
  pool: BufferPool,
  keys: Buffer[],
  onBuffer: OnBuffer,
): Promise<RowsRead> {
  const wanted = new Set(keys.map((own) => own.subarray(2).toString('latin1')))
  const isWanted = (row: Buffer) => wanted.has(keyBytes(row, key).toString('latin1'))
  const rows: Buffer[] = []
  const result = eachRow(database, planned, options, selection, pool, (row) => {
    if (isWanted(row)) rows.push(row)
  })
  for (const row of rows) await onBuffer(row)
  const columns = planned.columns.map((column) => ({ ...column, presenceOnly: isCast(column) }))
  const hasher = new RowHasher(columns.map(isSentAsList))
  eachRow(database, { ...planned, columns }, options, selection, pool, (row) => {
    if (isWanted(row)) hasher.add(row, 0, row.length)
  })
  return { ...result, digest: hasher.digest }
}

function eachRow(
  ...[database, table, options, selection, pool, onRow]: [...Asked, (row: Buffer) => void]
): RowsRead {
  const encoder = new RowEncoder(database, table, options, pool)
  encoder.watch = (row) => onRow(Buffer.from(row))
  for (const buffer of encoder.buffers(selection)) encoder.giveBack(buffer)
  return encoder.result
}
