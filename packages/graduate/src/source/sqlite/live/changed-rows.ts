import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { ChangePart, FollowedTable, TableChanges } from '../../../model/change.ts'
import type { MoveOptions } from '../../../model/options.ts'
import type { PlannedColumn, PlannedTable } from '../../../model/plan.ts'
import type { RowSelection, RowsRead } from '../../../model/row.ts'
import { BufferPool } from '../../../types/buffer-pool.ts'
import { isCast } from '../../../types/value-types.ts'
import { RowEncoder } from '../encode-rows.ts'

const keysPerPart = 5000

/**
 * The rows of a table whose keys were collected, as they are in the connection's read transaction.
 * @param listed temporary table of the keys, in columns of the key's names, numbered by their rowid from 1
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
  const isListed = `${keys.length > 1 ? `(${names})` : names} IN (SELECT ${names} FROM temp.${quoteIdentifier(listed)} WHERE rowid BETWEEN ? AND ?)`
  const keyTable = listedKeys(planned, keys, listed)
  // A key that cannot be encoded has no row in the target; the row itself is what is reported.
  const strict: MoveOptions = { ...options, onBadValue: 'stop' }
  return {
    table,
    keys: count,
    *keyParts() {
      for (let from = 1; from <= count; from += keysPerPart) {
        const values = [from, from + keysPerPart - 1]
        const read = encoded(database, keyTable, strict, { where: 'rowid BETWEEN ? AND ?', values }, pool)
        const part: ChangePart = {
          keys: Buffer.concat(read.buffers),
          rows: () => compared(database, planned, options, { where: isListed, values }, pool),
        }
        yield part
      }
    },
  }
}

/** The list as a table whose rows are the keys. */
function listedKeys(planned: PlannedTable, columns: PlannedColumn[], listed: string): PlannedTable {
  const source = { ...planned.source, name: listed, rowid: 'rowid', primaryKey: [], uniqueKeys: [] }
  return { ...planned, source, columns, key: [] }
}

/** Rows with the digest by which they are compared: of what the server makes of text, whether it is there. */
function compared(...asked: Parameters<typeof encoded>): ReturnType<typeof encoded> {
  const rows = encoded(...asked)
  const [database, table, options, selection, pool] = asked
  if (!table.columns.some(isCast)) return rows
  const columns = table.columns.map((column) => ({ ...column, presenceOnly: isCast(column) }))
  const { read } = encoded(database, { ...table, columns }, options, selection, pool)
  return { ...rows, read: { ...rows.read, digest: read.digest } }
}

function encoded(
  database: SqliteDatabase,
  table: PlannedTable,
  options: MoveOptions,
  selection: RowSelection,
  pool: BufferPool,
): { buffers: Buffer[]; read: RowsRead } {
  const encoder = new RowEncoder(database, table, options, pool)
  const buffers: Buffer[] = []
  for (const buffer of encoder.buffers(selection)) {
    buffers.push(Buffer.from(buffer))
    encoder.giveBack(buffer)
  }
  return { buffers, read: encoder.result }
}
