import { copyHeader } from '../../types/binary-writer.ts'
import { freeMemory } from '../../types/buffer-pool.ts'

/** Cuts what a binary COPY sends into rows, wherever its pieces begin and end. */
export class RowCutter {
  readonly #onRow: (row: Buffer) => void
  // One buffer for all pieces: a new one for each would leave memory in pieces too.
  #buffer = Buffer.allocUnsafeSlow(256 * 1024)
  #length = 0
  #isStarted = false

  /** @param onRow is given a row's bytes from the field count to the last field, its own only until it returns */
  constructor(onRow: (row: Buffer) => void) {
    this.#onRow = onRow
  }

  add(piece: Uint8Array): void {
    if (this.#length + piece.length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.#length + piece.length))
      this.#buffer.copy(larger, 0, 0, this.#length)
      freeMemory(this.#buffer.buffer)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#length)
    this.#length += piece.length
    if (!this.#isStarted && this.#length < copyHeader.length) return
    const from = this.#isStarted ? 0 : copyHeader.length
    const at = eachRow(this.#buffer.subarray(0, this.#length), from, this.#onRow)
    this.#isStarted = true
    this.#buffer.copyWithin(0, at, this.#length)
    this.#length -= at
  }
}

/** Calls `onRow` for each whole row and returns where the first incomplete one starts. */
function eachRow(data: Buffer, from: number, onRow: (row: Buffer) => void): number {
  const end = data.length
  let start = from
  for (;;) {
    if (start + 2 > end) return start
    const fields = ((data[start] as number) << 8) | (data[start + 1] as number)
    if (fields === 0xffff) return end
    let at = start + 2
    for (let field = 0; field < fields; field++) {
      if (at + 4 > end) return start
      const length =
        ((data[at] as number) << 24) |
        ((data[at + 1] as number) << 16) |
        ((data[at + 2] as number) << 8) |
        (data[at + 3] as number)
      at += length < 0 ? 4 : 4 + length
    }
    if (at > end) return start
    onRow(data.subarray(start, at))
    start = at
  }
}
