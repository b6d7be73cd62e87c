/** How the rows of several tables lie in one part: pieces with their length before them, and a length of 0 behind each table. */

/** One table's pieces, framed. */
export async function* framed(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    if (piece.length === 0) continue
    yield lengthOf(piece.length)
    yield piece
  }
  yield lengthOf(0)
}

function lengthOf(bytes: number): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes)
  return length
}

/** Takes a part apart again: `next` gives the pieces of one table after the other. To be read in order, each to its end. */
export class FrameReader {
  readonly #bytes: AsyncIterator<Uint8Array>
  #piece: Buffer = Buffer.alloc(0)

  constructor(part: AsyncIterable<Uint8Array>) {
    this.#bytes = part[Symbol.asyncIterator]()
  }

  async *next(): AsyncIterable<Buffer> {
    for (;;) {
      let left = (await this.#take(4)).readUInt32BE()
      if (left === 0) return
      while (left > 0) {
        const bytes = await this.#upTo(left)
        left -= bytes.length
        yield bytes
      }
    }
  }

  /** Has the part's own check at its end be made. @throws Error when more is in it */
  async end(): Promise<void> {
    if (this.#piece.length > 0 || !(await this.#bytes.next()).done)
      throw new Error('a part holds more than its tables')
  }

  async close(): Promise<void> {
    await this.#bytes.return?.()
  }

  async #take(count: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (let left = count; left > 0;) {
      const bytes = await this.#upTo(left)
      left -= bytes.length
      pieces.push(bytes)
    }
    return Buffer.concat(pieces)
  }

  /** At least one byte. */
  async #upTo(count: number): Promise<Buffer> {
    while (this.#piece.length === 0) {
      const { value, done } = await this.#bytes.next()
      if (done === true) throw new Error('a part ends within a table')
      this.#piece = Buffer.from(value.buffer, value.byteOffset, value.length)
    }
    const bytes = this.#piece.subarray(0, count)
    this.#piece = this.#piece.subarray(count)
    return bytes
  }
}
