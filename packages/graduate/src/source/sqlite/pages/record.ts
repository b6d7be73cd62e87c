import { damagedPage } from '../damaged.ts'
import type { TableCursor } from './table-cursor.ts'
import { Varint } from './varint.ts'

/** Bytes of a value, by its serial type below 12. Of 10 and 11 no file has any. */
const sizes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, Number.NaN, Number.NaN]

/**
 * The form of a row's record: serial types and places of its values.
 * Source: "Database File Format" of SQLite's documentation, 2.1.
 */
export class RecordForm {
  /** How many values there are: fewer than columns where columns were added since. */
  count = 0
  /** Of the values, up to as many as the table has columns. */
  readonly types: Float64Array
  readonly starts: Float64Array
  readonly #columns: number
  readonly #varint = new Varint()

  constructor(columns: number) {
    this.#columns = columns
    this.types = new Float64Array(columns)
    this.starts = new Float64Array(columns)
  }

  /** Reads that of the row on which a cursor stands. */
  read({ bytes, start, end, page }: TableCursor): void {
    const varint = this.#varint
    let at = varint.read(bytes, start)
    const headerEnd = start + varint.value
    if (headerEnd > end || at > headerEnd) throw damagedPage(page, 'has a row without a valid header')
    let value = headerEnd
    let count = 0
    const { types, starts } = this
    while (at < headerEnd) {
      let type = bytes[at] as number
      if (type < 0x80) at++
      else {
        at = varint.read(bytes, at)
        type = varint.value
      }
      if (count < this.#columns) {
        types[count] = type
        starts[count] = value
      }
      count++
      value += type < 12 ? (sizes[type] as number) : (type - 12 - (type & 1)) / 2
      // A comparison that is false of NaN, too.
      if (!(value <= end) || type < 0) throw damagedPage(page, 'has a row without a valid header')
    }
    if (at !== headerEnd || value !== end) throw damagedPage(page, 'has a row without a valid header')
    this.count = Math.min(count, this.#columns)
  }
}
