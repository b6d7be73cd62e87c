import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { MoveOptions } from '../../../model/options.ts'
import type { PlannedTable } from '../../../model/plan.ts'
import type { RowRange } from '../../../model/row.ts'
import { BinaryWriter } from '../../../types/binary-writer.ts'
import type { BufferPool } from '../../../types/buffer-pool.ts'
import type { Cell, Encode, Refused, Value } from '../../../types/encode.ts'
import { StoredCell, type EncodeStored } from '../../../types/stored-cell.ts'
import { storedEncoderFor } from '../../../types/value-types.ts'
import { damagedSource } from '../damaged.ts'
import { refusedNull, TableEncoder } from '../table-encoder.ts'
import { DriverCheck } from './driver-check.ts'
import { RecordForm } from './record.ts'
import { TableCursor } from './table-cursor.ts'
import type { TableLayout } from './table-layout.ts'

interface PageColumn {
  /** Its place in a record, -1 for the rowid. */
  place: number
  isReal: boolean
  isRequired: boolean
  encode: Encode
  encodeStored: EncodeStored | undefined
}

/**
 * Reads rows from the pages of a file. What a type's `EncodeStored` does not write is given to the encoders as the driver
 * would give it; the driver itself is asked only for what an exception needs: a bad value's words, a default.
 */
export class PageEncoder extends TableEncoder {
  readonly #layout: TableLayout
  readonly #columns: PageColumn[]
  readonly #record: RecordForm
  readonly #cell = new StoredCell()
  /** What short records stand for, by column: they were written before the column was added. */
  readonly #defaults = new Map<number, Cell>()
  readonly #check: DriverCheck
  /** Whether rowids, and so the integers of the rows, are read as the driver reads those beyond 2^53. */
  #isWide = false

  constructor(
    database: SqliteDatabase,
    table: PlannedTable,
    options: MoveOptions,
    layout: TableLayout,
    pool?: BufferPool,
  ) {
    super(database, table, options, pool)
    this.#layout = layout
    this.#check = new DriverCheck(database, table, options, this.pool)
    this.#record = new RecordForm(layout.width)
    this.#columns = layout.columns.map(({ place, isReal }, index) => {
      const column = this.columns[index] as (typeof this.columns)[number]
      return {
        place: place ?? -1,
        isReal,
        isRequired: column.target.notNull,
        encode: column.encode,
        encodeStored: storedEncoderFor(column),
      }
    })
  }

  *buffers(range: NonNullable<RowRange>): Generator<Buffer, void, void> {
    const { context, hasher } = this
    const columns = this.#columns
    const count = columns.length
    const record = this.#record
    this.#isWide = range.low < -(2n ** 53n) || range.high > 2n ** 53n
    const { file, root } = this.#layout
    const walked = this.#walked(range)
    using cursor = new TableCursor(file, root, walked)
    const check = this.#check
    let rows = 0
    const writer = new BinaryWriter(this.pool)
    const row: Cell[] = [null]
    context.row = row
    try {
      while (cursor.next()) {
        record.read(cursor)
        row[0] = this.#rowid(cursor)
        this.rowsRead++
        rows++
        const start = writer.at
        writer.int16(count)
        let refusal: Refused | undefined
        let index = 0
        for (; index < count; index++) {
          refusal = this.#encode(index, cursor, writer)
          if (refusal !== undefined) break
        }
        if (refusal === undefined) {
          if (check.isDue(rows))
            check.row(row[0] as number | bigint, writer.buffer.subarray(start, writer.at))
          hasher.add(writer.buffer, start, writer.at)
          if (writer.isFull) yield writer.take()
        } else {
          this.refuseRow(refusal, index, (at) => this.#value(at, cursor))
          writer.at = start
        }
      }
      check.count(walked, rows)
      if (writer.at > 0) yield writer.take()
    } finally {
      writer.end()
    }
  }

  /**
   * From the table's first row on, and to its last, the whole rest of the tree is walked: a damaged one may have rows where
   * none belongs, and a part that is in no range would be looked at by nobody.
   */
  #walked({ low, high }: NonNullable<RowRange>): NonNullable<RowRange> {
    const { rowids } = this.#layout
    return {
      low: rowids && low <= rowids.first ? -(2n ** 63n) : low,
      high: rowids && high >= rowids.last ? 2n ** 63n - 1n : high,
    }
  }

  #encode(index: number, cursor: TableCursor, writer: BinaryWriter): Refused | undefined {
    const column = this.#columns[index] as PageColumn
    const cell = this.#cell
    if (this.#read(column, cursor)) {
      if (cell.storage === 'null') return writeNull(column, writer)
      const start = writer.at
      if (column.encodeStored?.(cell, writer)) return undefined
      writer.at = start
    }
    const value = this.#value(index, cursor)
    if (value === null) return writeNull(column, writer)
    this.context.column = (this.columns[index] as (typeof this.columns)[number]).source
    return column.encode(value, writer, this.context)
  }

  /** Reads a stored value; false where the record is too short to have one. */
  #read({ place, isReal }: PageColumn, cursor: TableCursor): boolean {
    const cell = this.#cell
    const record = this.#record
    if (place >= record.count) return false
    cell.bytes = cursor.bytes
    cell.view = cursor.view
    if (place < 0) {
      // Its eight bytes lie nowhere: what is beyond 2^53 is left to `#value`.
      cell.storage = 'integer'
      cell.number = cursor.high * 4294967296 + cursor.low
      return Number.isSafeInteger(cell.number)
    }
    cell.at = record.starts[place] as number
    cell.read(record.types[place] as number, isReal)
    return true
  }

  /** A value as the driver gives it. */
  #value(index: number, cursor: TableCursor): Cell {
    const column = this.#columns[index] as PageColumn
    if (column.place < 0) return this.context.row[0] as Value
    return this.#read(column, cursor) ? this.#cell.value(this.#isWide) : this.#default(index)
  }

  #default(index: number): Cell {
    const known = this.#defaults.get(index)
    if (known !== undefined) return known
    const { name, rowid } = this.table.source
    const column = quoteIdentifier((this.columns[index] as (typeof this.columns)[number]).source)
    const statement = this.database
      .prepare(`SELECT ${column} FROM ${quoteIdentifier(name)} WHERE ${rowid} = ?`)
      .pluck()
      .safeIntegers(this.#isWide)
    const read = statement.get(this.context.row[0]) as Cell | undefined
    if (read === undefined) throw damagedSource(`SQLite does not find a row of ${name} by its rowid.`)
    const value = typeof read === 'bigint' && Number.isSafeInteger(Number(read)) ? Number(read) : read
    this.#defaults.set(index, value)
    return value
  }

  #rowid({ high, low }: TableCursor): Value {
    const rowid = high * 4294967296 + low
    return this.#isWide && !Number.isSafeInteger(rowid) ? (BigInt(high) << 32n) | BigInt(low) : rowid
  }
}

function writeNull({ isRequired }: PageColumn, writer: BinaryWriter): Refused | undefined {
  if (isRequired) return refusedNull()
  writer.null()
  return undefined
}
