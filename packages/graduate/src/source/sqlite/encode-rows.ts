import { quoteIdentifier } from '@outgrow/databases/quote'
import type { ReportedKey } from '../../model/finding.ts'
import type { RowRange, RowSelection } from '../../model/row.ts'
import { BinaryWriter } from '../../types/binary-writer.ts'
import type { Cell, Refused } from '../../types/encode.ts'
import { keySql } from './cell-context.ts'
import { damagedSource } from './damaged.ts'
import { refusedNull, TableEncoder, type ReadColumn } from './table-encoder.ts'

/** Read at a time at most: a third cheaper than one by one, and so many of the first large rows are in memory at once. */
const maxRowsPerRead = 12
/** Where the last read's rows were larger, the next is of one row. */
const maxBytesPerRead = 1024 * 1024
const lowestRowid = -(2n ** 63n)

/** Reads rows through the driver. */
export class RowEncoder extends TableEncoder {
  /**
   * Encodes the rows of a range, or those that a condition selects; each buffer is full, the last may be short. Nothing is
   * read ahead.
   */
  *buffers(range: RowRange | RowSelection): Generator<Buffer, void, void> {
    const writer = new BinaryWriter(this.pool)
    const { columns, context } = this
    const count = columns.length
    const offset = context.keyColumns.length
    try {
      for (const row of this.#rows(range)) {
        const start = writer.at
        context.row = row
        this.rowsRead++
        writer.int16(count)
        let refusal: Refused | undefined
        for (let index = 0; index < count; index++) {
          const column = columns[index] as ReadColumn
          const cell = row[index + offset] as Cell
          if (cell === null) {
            if (!column.target.notNull) {
              writer.null()
              continue
            }
            refusal = refusedNull()
          } else {
            context.column = column.source
            refusal = column.encode(cell, writer, context)
          }
          if (refusal !== undefined) {
            this.refuseRow(refusal, index, (at) => row[at + offset] as Cell)
            break
          }
        }
        if (refusal !== undefined) {
          writer.at = start
          continue
        }
        this.hasher.add(writer.buffer, start, writer.at)
        this.watch?.(writer.buffer.subarray(start, writer.at), context)
        if (writer.isFull) yield writer.take()
      }
      if (writer.at > 0) yield writer.take()
    } finally {
      writer.end()
    }
  }

  /** Sees every row that is sent. */
  watch: ((row: Buffer, context: { key(): ReportedKey; place(): RowSelection }) => void) | undefined;

  *#rows(range: RowRange | RowSelection): Generator<Cell[]> {
    const { source } = this.table
    const names = this.table.columns.map(({ source: name }) => quoteIdentifier(name))
    const keys = this.context.keyColumns.map(source.rowid === undefined ? literalOf : keySql)
    const select = `SELECT ${[...keys, ...names].join(', ')} FROM ${quoteIdentifier(source.name)}`
    if (range === undefined) {
      yield* this.database.prepare(select).raw().iterate() as Iterable<Cell[]>
      return
    }
    if ('where' in range) {
      const statement = this.database.prepare(`${select} WHERE ${range.where}`).raw().safeIntegers(true)
      for (const row of statement.iterate(range.values) as Iterable<Cell[]>) {
        narrow(row)
        yield row
      }
      return
    }
    const { rowid } = source
    const sql = `${select} WHERE ${rowid} > ? AND ${rowid} <= ? ORDER BY ${rowid} LIMIT ?`
    const statement = this.database.prepare(sql).raw()
    const wide = range.low < -(2n ** 53n) || range.high > 2n ** 53n
    if (wide) statement.safeIntegers(true)
    let last: unknown = range.low - 1n
    if (range.low === lowestRowid) last = -Infinity // SQLite compares it as a number, below every rowid
    for (let limit = 1; ;) {
      const rows = statement.all(last, range.high, limit) as Cell[][]
      let bytes = 0
      for (const row of rows) {
        // Where a damaged tree leads back, reading would not end.
        if (!((row[0] as number) > (last as number)))
          throw damagedSource(`Rowids of ${source.name} are out of order.`)
        last = row[0]
        bytes += sizeOf(row)
        if (wide) narrow(row)
        yield row
        row.length = 0 // nobody needs it any more, and the next one may be as large
      }
      if (rows.length < limit) return
      limit = bytes > maxBytesPerRead ? 1 : Math.min(2 * limit, maxRowsPerRead)
    }
  }
}

/**
 * SQL that gives a value as a literal of SQL. A row without a rowid is found again by it: neither a large integer nor bytes
 * that are no UTF-8 would come through the driver as they are.
 */
const literalOf = (name: string) => {
  const quoted = quoteIdentifier(name)
  return `CASE typeof(${quoted}) WHEN 'text' THEN 'CAST(x''' || hex(CAST(${quoted} AS BLOB)) || ''' AS TEXT)' ELSE quote(${quoted}) END`
}

/** About how much memory the long cells of a row take. */
function sizeOf(row: Cell[]): number {
  let size = 0
  for (const cell of row) if (typeof cell === 'string' || Buffer.isBuffer(cell)) size += cell.length
  return size
}

/** bigint where it must be, number elsewhere: what the encoders expect. */
function narrow(row: Cell[]): void {
  for (let index = 0; index < row.length; index++) {
    const cell = row[index]
    if (typeof cell === 'bigint' && Number.isSafeInteger(Number(cell))) row[index] = Number(cell)
  }
}
