/** Buffers of one size, used again and again. */
export class BufferPool {
  readonly bufferBytes = 256 * 1024
  readonly #make: (bytes: number) => ArrayBufferLike
  readonly #free: ArrayBufferLike[] = []

  /** @param make where the memory comes from, such as memory that two threads share */
  constructor(make: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes)) {
    this.#make = make
  }

  take(): Buffer {
    return Buffer.from(this.#free.pop() ?? this.#make(this.bufferBytes))
  }

  /** Lets the memory of a buffer be used again. A larger one, made for a large row, is freed. */
  giveBack({ buffer }: Buffer): void {
    if (buffer.byteLength === this.bufferBytes) this.#free.push(buffer)
    else freeMemory(buffer)
  }
}

/** Frees memory at once: until it is collected as garbage, that of several large rows would be held. */
export function freeMemory(memory: ArrayBufferLike): void {
  if (memory instanceof ArrayBuffer) memory.transfer(0)
}
