import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to a port that may change, and can stop passing anything, as a lost network does. */
export class TcpGate {
  /** Where connections lead. */
  port = 0
  readonly listening: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isHeld = false

  static async open(): Promise<TcpGate> {
    const server = createServer({ allowHalfOpen: false })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return new TcpGate(server)
  }

  private constructor(server: Server) {
    this.#server = server
    const address = server.address()
    this.listening = typeof address === 'object' && address ? address.port : 0
    server.on('connection', (from) => this.#pass(from))
  }

  /** Nothing comes through any more, and nobody is told. */
  hold(): void {
    this.#isHeld = true
    for (const socket of this.#sockets) socket.pause()
  }

  release(): void {
    this.#isHeld = false
    for (const socket of this.#sockets) socket.resume()
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }

  #pass(from: Socket): void {
    const to = connect(this.port, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(one)
      one.on('data', (bytes) => other.write(bytes))
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
      if (this.#isHeld) one.pause()
    }
  }
}
