import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How long a connection rests after each piece that it passes on where the way is narrow. */
const restMs = 500

/**
 * A way to a server on loopback that becomes narrow once so much was sent, and stays so until it is widened: what sends much
 * is under way for as long as a test looks at it.
 */
export class NarrowWay implements AsyncDisposable {
  readonly #server = createServer((from) => this.#pass(from))
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #left: number

  private constructor(port: number, freeBytes: number) {
    this.#port = port
    this.#left = freeBytes
  }

  static async open(port: number, freeBytes: number): Promise<NarrowWay> {
    const way = new NarrowWay(port, freeBytes)
    way.#server.listen(0, '127.0.0.1')
    await once(way.#server, 'listening')
    return way
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  widen(): void {
    this.#left = Infinity
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #pass(from: Socket): void {
    const to = connect(this.#port, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => {}) // the other side is told by its end
      one.once('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
    to.pipe(from)
    from.on('data', (bytes) => {
      this.#left -= bytes.length
      from.pause()
      to.write(bytes, () => setTimeout(() => from.resume(), this.#left > 0 ? 0 : restMs))
    })
  }
}
