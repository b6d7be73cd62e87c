/** One row as bytes that no other row has: each value's type, its length and its bytes. */
export class RowBytes {
  #buffer = Buffer.alloc(4096)
  #at = 0

  /** @param values texts are letters of types, and the text of a column is its bytes. The result is overwritten by the next. */
  of(values: unknown[]): Buffer {
    this.#at = 0
    for (const value of values) this.#value(value)
    return this.#buffer.subarray(0, this.#at)
  }

  #value(value: unknown): void {
    if (typeof value === 'bigint') {
      this.#room(9)
      this.#buffer.writeBigInt64BE(value, this.#at)
      this.#at += 8
    } else if (typeof value === 'number') {
      this.#room(9)
      this.#buffer.writeDoubleBE(value, this.#at)
      this.#at += 8
    } else if (typeof value === 'string') this.#add(Buffer.from(value, 'latin1'))
    else if (value !== null) this.#add(value as Buffer)
  }

  #add(bytes: Buffer): void {
    this.#room(bytes.length + 4)
    this.#buffer.writeUInt32BE(bytes.length, this.#at)
    bytes.copy(this.#buffer, this.#at + 4)
    this.#at += 4 + bytes.length
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.alloc(2 * (this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
