import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to a port that may change, and can stop passing anything, as a lost network does. */
export class TcpGate {
  /** Where connections lead. */
  port = 0
  readonly listening: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #lost = new Set<Socket>()
  #isHeld = false
  /** A connection on which this is sent is lost. */
  losesAt: string | undefined

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

  /** As when a host vanishes and another takes its address: what is open answers never again, and is not ended. */
  lose(): void {
    for (const socket of this.#sockets) this.#lose(socket)
  }

  #lose(socket: Socket): void {
    this.#lost.add(socket)
    this.#sockets.delete(socket)
    socket.pause()
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of [...this.#sockets, ...this.#lost]) socket.destroy()
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
      one.on('data', (bytes) => {
        if (this.losesAt !== undefined && bytes.includes(this.losesAt)) {
          this.#lose(one)
          this.#lose(other)
        } else other.write(bytes)
      })
      const end = () => {
        if (!this.#lost.has(other)) other.destroy()
      }
      one.on('error', end)
      one.on('close', () => {
        this.#sockets.delete(one)
        end()
        this.#lost.delete(one)
      })
      if (this.#isHeld) one.pause()
    }
  }
}
