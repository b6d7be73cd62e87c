import { isUtf8 } from 'node:buffer'
import { assertNever } from '@outgrow/kit'
import type { BinaryWriter } from './binary-writer.ts'
import type { Cell, Storage } from './encode.ts'

/** A value as it lies in an SQLite file: its bytes, and what was read of them. */
export class StoredCell {
  storage: Storage = 'null'
  /** Of an INTEGER or a REAL; an integer beyond 2^53 is rounded, and its eight bytes lie at `at`. */
  number = 0
  /** Where text, a blob or a number lies. */
  bytes: Buffer = Buffer.alloc(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  at = 0
  length = 0

  /**
   * Reads a value by its serial type; the place of its bytes is set already.
   * @param isReal the column's values are REAL, of which SQLite stores those without a fraction as integers
   */
  read(type: number, isReal: boolean): void {
    if (type >= 12) {
      this.storage = (type & 1) === 1 ? 'text' : 'blob'
      this.length = (type - 12 - (type & 1)) / 2
      return
    }
    this.storage = isReal && type !== 0 ? 'real' : 'integer'
    const { view, at } = this
    switch (type) {
      case 1:
        this.number = view.getInt8(at)
        break
      case 2:
        this.number = view.getInt16(at)
        break
      case 3:
        this.number = view.getInt8(at) * 65536 + view.getUint16(at + 1)
        break
      case 4:
        this.number = view.getInt32(at)
        break
      case 5:
        this.number = view.getInt16(at) * 4294967296 + view.getUint32(at + 2)
        break
      case 6:
        this.number = view.getInt32(at) * 4294967296 + view.getUint32(at + 4)
        break
      case 7:
        this.number = view.getFloat64(at)
        // SQLite has no NaN: it reads one as NULL.
        this.storage = Number.isNaN(this.number) ? 'null' : 'real'
        break
      case 8:
      case 9:
        this.number = type - 8
        break
      default:
        this.storage = 'null'
    }
  }

  /** As the driver gives it. @param exact integers that no double holds as bigint, else rounded */
  value(exact: boolean): Cell {
    switch (this.storage) {
      case 'null':
        return null
      case 'integer':
        return exact && !Number.isSafeInteger(this.number) ? this.view.getBigInt64(this.at) : this.number
      case 'real':
        return this.number
      case 'text':
        return this.bytes.toString('utf8', this.at, this.at + this.length)
      case 'blob':
        return Buffer.from(this.bytes.subarray(this.at, this.at + this.length))
      default:
        return assertNever(this.storage)
    }
  }
}

/**
 * Writes a value that is not NULL straight from its bytes, exactly as the type's `Encode` would.
 * @returns false where it is not surely one that needs no rule and no note: `Encode` decides, and the writer is rewound
 */
export type EncodeStored = (cell: StoredCell, writer: BinaryWriter) => boolean

/** From this length on the engine's own functions are quicker than a loop. */
const longText = 96

/** Writes the length and the bytes of a text; false where it has a NUL, or bytes that are not UTF-8. */
export function copyText({ bytes, at, length }: StoredCell, writer: BinaryWriter): boolean {
  writer.int32(length)
  writer.ensure(length)
  const { buffer } = writer
  let to = writer.at
  writer.at += length
  if (length >= longText) {
    const text = bytes.subarray(at, at + length)
    if (text.includes(0) || !isUtf8(text)) return false
    buffer.set(text, to)
    return true
  }
  let seen = 0
  const end = at + length
  for (let from = at; from < end; from++) {
    const byte = bytes[from] as number
    if (byte === 0) return false
    seen |= byte
    buffer[to++] = byte
  }
  return seen < 0x80 || isUtf8(bytes.subarray(at, end))
}
