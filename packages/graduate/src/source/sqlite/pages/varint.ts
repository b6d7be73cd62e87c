/**
 * SQLite's variable-length integers: seven bits a byte, most significant first, eight in a ninth byte.
 * Source: "Database File Format" of SQLite's documentation, 1.6.
 */
export class Varint {
  /** The 64 bits of the last one: the upper half signed, the lower unsigned. */
  high = 0
  low = 0

  /** Reads the one at `at`, and returns where the next byte is. What lies beyond the end of `bytes` counts as 0. */
  read(bytes: Uint8Array, at: number): number {
    let byte = bytes[at] as number
    if (byte < 0x80) {
      this.high = 0
      this.low = byte
      return at + 1
    }
    let high = 0
    let low = byte & 0x7f
    let next = at + 1
    for (let length = 2; length < 9; length++) {
      byte = bytes[next++] as number
      high = (high << 7) | (low >>> 25)
      low = (low << 7) | (byte & 0x7f)
      if (!(byte >= 0x80)) {
        this.high = high
        this.low = low >>> 0
        return next
      }
    }
    byte = bytes[next++] as number
    this.high = (high << 8) | (low >>> 24)
    this.low = ((low << 8) | byte) >>> 0
    return next
  }

  /** The number, rounded where a double cannot hold it. */
  get value(): number {
    return this.high * 4294967296 + this.low
  }
}
