import type { Digest } from './digest.ts'
import { Lookup3 } from './lookup3.ts'

const twoTo32 = 4294967296
/** Sums of 32-bit halves are exact in doubles for twice as many rows. */
const rowsPerCarry = 1_000_000

/**
 * Hashes rows in binary COPY form and sums the hashes, as a server does that is asked for `rowHash` of the same columns:
 * each field by lookup3, NULL as 0, together `31 * sum + field`; and that number hashed once more. Without the last hash
 * the sum over all rows would be a sum by columns, and blind to values that had changed their rows.
 */
export class RowHasher {
  /** Positions of lists. The type of their elements, a number that each database gives, is taken for 0. */
  readonly #lists: readonly boolean[]
  readonly #lookup3 = new Lookup3()
  readonly #combined = new DataView(new ArrayBuffer(8))
  #view: DataView = new DataView(new ArrayBuffer(0))
  #rows = 0
  #high = 0
  #low = 0

  constructor(lists: readonly boolean[] = []) {
    this.#lists = lists
  }

  /** Adds the row that lies in `bytes` from `start`, its field count, to `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.#hash(bytes, start, end)
    this.#low += this.#lookup3.low
    this.#high += this.#lookup3.high
    if (++this.#rows % rowsPerCarry === 0) this.#carry()
  }

  /** The hash of one row, for itself. */
  hashOf(row: Uint8Array): bigint {
    this.#hash(row, 0, row.length)
    return (BigInt(this.#lookup3.high) << 32n) | BigInt(this.#lookup3.low)
  }

  get digest(): Digest {
    this.#carry()
    return { rows: this.#rows, sum: (BigInt(this.#high) << 32n) | BigInt(this.#low) }
  }

  #hash(bytes: Uint8Array, start: number, end: number): void {
    const view = this.#viewOf(bytes)
    const lookup3 = this.#lookup3
    let high = 0
    let low = 0
    const last = bytes.byteOffset + end
    let at = bytes.byteOffset + start + 2
    for (let field = 0; at < last; field++) {
      const length = view.getInt32(at)
      at += 4
      low *= 31
      high = Math.imul(high, 31)
      if (length >= 0) {
        if (this.#lists[field] === true) this.#hashList(view, at, length)
        else lookup3.hash(view, at, length)
        low += lookup3.low
        high += lookup3.high
        at += length
      }
      const rest = low % twoTo32
      high = (high + (low - rest) / twoTo32) | 0
      low = rest
    }
    this.#combined.setInt32(0, high)
    this.#combined.setUint32(4, low)
    lookup3.hash(this.#combined, 0, 8)
  }

  /** `array_send`: dimensions, flags, the elements' type, the elements. */
  #hashList(view: DataView, at: number, length: number): void {
    const copy = new Uint8Array(view.buffer, at, length).slice()
    copy.fill(0, 8, 12)
    this.#lookup3.hash(new DataView(copy.buffer), 0, length)
  }

  /** Views over whole memory are kept: rows come in few buffers, and many a buffer. */
  #viewOf({ buffer }: Uint8Array): DataView {
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer)
    return this.#view
  }

  #carry(): void {
    const rest = this.#low % twoTo32
    this.#high = (this.#high + (this.#low - rest) / twoTo32) % twoTo32
    this.#low = rest
  }
}
