import { BufferPool } from './buffer-pool.ts'

const twoTo32 = 4294967296

/**
 * Writes rows in PostgreSQL's binary COPY form into the large buffers of a pool.
 * A full buffer is handed over with `take`; who took it gives it back to the pool, once the socket holds it no more.
 */
export class BinaryWriter {
  buffer: Buffer
  /** Next byte to write. */
  at = 0
  readonly #pool: BufferPool

  constructor(pool: BufferPool = new BufferPool()) {
    this.#pool = pool
    this.buffer = pool.take()
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(larger, 0, 0, this.at)
    this.#pool.giveBack(this.buffer)
    this.buffer = larger
  }

  get isFull(): boolean {
    return this.at >= this.#pool.bufferBytes - 16 * 1024
  }

  /** What has been written, and a fresh buffer in its place. */
  take(): Buffer {
    const written = this.buffer.subarray(0, this.at)
    this.buffer = this.#pool.take()
    this.at = 0
    return written
  }

  /** Gives the buffer back. Nothing can be written after that. */
  end(): void {
    this.#pool.giveBack(this.buffer)
    this.buffer = Buffer.alloc(0)
  }

  byte(value: number): void {
    this.ensure(1)
    this.buffer[this.at++] = value
  }

  int16(value: number): void {
    this.ensure(2)
    this.buffer[this.at] = value >> 8
    this.buffer[this.at + 1] = value
    this.at += 2
  }

  int32(value: number): void {
    this.ensure(4)
    const { buffer, at } = this
    buffer[at] = value >> 24
    buffer[at + 1] = value >> 16
    buffer[at + 2] = value >> 8
    buffer[at + 3] = value
    this.at = at + 4
  }

  /** A whole number within ±2^53 as 64 bits. */
  int64(value: number): void {
    const high = Math.floor(value / twoTo32)
    this.int32(high)
    this.int32((value - high * twoTo32) | 0)
  }

  bigInt64(value: bigint): void {
    this.ensure(8)
    this.buffer.writeBigInt64BE(value, this.at)
    this.at += 8
  }

  float64(value: number): void {
    this.ensure(8)
    this.buffer.writeDoubleBE(value, this.at)
    this.at += 8
  }

  float32(value: number): void {
    this.ensure(4)
    this.buffer.writeFloatBE(value, this.at)
    this.at += 4
  }

  bytes(value: Uint8Array): void {
    this.ensure(value.length)
    this.buffer.set(value, this.at)
    this.at += value.length
  }

  /** Length and UTF-8 bytes. */
  text(value: string): void {
    this.ensure(4 + value.length * 3)
    const start = this.at
    const written = this.buffer.write(value, start + 4, 'utf8')
    this.int32(written)
    this.at = start + 4 + written
  }

  /** SQL NULL. */
  null(): void {
    this.int32(-1)
  }

  /** Writes a length in front of what `write` writes. */
  sized(write: () => void): void {
    const start = this.at
    this.int32(0)
    write()
    this.sizeFrom(start)
  }

  /** Writes over the length at `start` the bytes that came behind it. */
  sizeFrom(start: number): void {
    const end = this.at
    this.at = start
    this.int32(end - start - 4)
    this.at = end
  }
}

/** What every binary COPY stream starts with: signature, flags, no extension. */
export const copyHeader = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')
/** And ends with. */
export const copyTrailer = Buffer.from([0xff, 0xff])
