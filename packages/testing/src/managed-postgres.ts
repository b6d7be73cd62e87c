import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { Certificate } from './authority.ts'

/** How a provider's host behaves. */
export interface ManagedBehaviour {
  /** Its certificate; without one it has no TLS. */
  certificate?: Certificate
  /** Refuses who does not encrypt. */
  requiresTls?: boolean
  /** Refuses who does not say, in TLS, which host is meant. */
  requiresServerName?: boolean
  /** Start-up parameters that a pooler refuses. */
  refusedParameters?: string[]
  /** So many connections at once, and what is said to the next. */
  limit?: { connections: number; code: string; message: string }
}

const sslRequest = 80877103
const cancelRequest = 80877102
const startup3 = 0x30000

/**
 * A host on loopback that behaves as a provider's, in front of a real Postgres. What a server says of itself is forwarded
 * untouched: only what stands between is played.
 */
export class ManagedPostgres {
  readonly #upstream: URL
  readonly #behaviour: ManagedBehaviour
  readonly #sockets = new Set<Socket>()
  readonly #drops = new Set<(how: 'now' | 'on use') => void>()
  #server: Server = createServer()
  #port = 0
  #open = 0
  /** How often somebody connected, was refused, and lost a connection that was idle; and what was asked for. */
  readonly seen = {
    connections: 0,
    refused: 0,
    dropped: 0,
    serverNames: [] as (string | undefined)[],
    parameters: [] as Record<string, string>[],
  }
  /** Connections that are refused from now on, because it sleeps; the next one finds it awake. */
  sleeps = 0

  private constructor(upstream: string, behaviour: ManagedBehaviour) {
    this.#upstream = new URL(upstream)
    this.#behaviour = behaviour
  }

  static async start(upstream: string, behaviour: ManagedBehaviour = {}): Promise<ManagedPostgres> {
    const managed = new ManagedPostgres(upstream, behaviour)
    await managed.#listen(0)
    return managed
  }

  /** The URL of a database behind it, as the provider's host of that name would give it. */
  url(
    host: string,
    { user, password, port = this.#port, ...parameters }: Record<string, string | number> = {},
  ): string {
    const url = new URL(this.#upstream)
    url.hostname = host
    url.port = String(port)
    url.search = ''
    if (user !== undefined) url.username = String(user)
    if (password !== undefined) url.password = String(password)
    url.searchParams.set('hostaddr', '127.0.0.1')
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value))
    return url.href
  }

  get port(): number {
    return this.#port
  }

  get openConnections(): number {
    return this.#open
  }

  /**
   * Drops what is connected now, as if it had been idle for too long: at once, or so that it is only found out when somebody
   * uses it again.
   */
  dropIdle(how: 'now' | 'on use'): void {
    for (const drop of this.#drops) drop(how)
  }

  /** Cuts every connection, as a failover or a suspension does. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.cutAll()
    await once(this.#server, 'close')
  }

  async #listen(port: number): Promise<void> {
    this.#server.on('connection', (socket) => this.#accept(socket))
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as { port: number }).port
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {}) // the other side is gone
    this.seen.connections++
    if (this.sleeps > 0) {
      this.sleeps--
      this.seen.refused++
      socket.resetAndDestroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    firstMessage(socket, (message) => this.#begin(socket, message))
  }

  /** The first message of a connection: asks for TLS, cancels, or starts up. */
  #begin(socket: Socket, message: Buffer): void {
    const { certificate, requiresTls } = this.#behaviour
    const code = message.readInt32BE(4)
    if (code === sslRequest) {
      socket.write(certificate ? 'S' : 'N')
      if (!certificate) return firstMessage(socket, (next) => this.#begin(socket, next))
      return this.#encrypt(socket, certificate)
    }
    if (code === cancelRequest) return this.#forward(socket, message)
    if (requiresTls === true)
      return refuse(socket, '28000', 'connection is insecure (try using `sslmode=require`)')
    this.#startUp(socket, message)
  }

  #encrypt(socket: Socket, { cert, key }: Certificate): void {
    let name: string | undefined
    const encrypted = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ cert, key }),
      SNICallback: (asked, done) => {
        name = asked
        done(null)
      },
    })
    encrypted.on('error', () => socket.destroy()) // a client that does not trust us
    firstMessage(encrypted, (message) => {
      this.seen.serverNames.push(name)
      if (this.#behaviour.requiresServerName === true && name === undefined) {
        return refuse(
          encrypted,
          '08000',
          'Endpoint ID is not specified. Either please upgrade the postgres client library (libpq) for SNI support',
        )
      }
      this.#startUp(encrypted, message)
    })
  }

  #startUp(socket: Socket, message: Buffer): void {
    const { refusedParameters = [], limit } = this.#behaviour
    if (message.readInt32BE(4) !== startup3) return refuse(socket, '08P01', 'unsupported protocol')
    const parameters = parametersOf(message)
    this.seen.parameters.push(parameters)
    const refused = refusedParameters.find((name) => name in parameters)
    if (refused !== undefined) return refuse(socket, '08P01', `unsupported startup parameter: ${refused}`)
    if (limit && this.#open >= limit.connections) {
      this.seen.refused++
      return refuse(socket, limit.code, limit.message)
    }
    this.#open++
    socket.once('close', () => this.#open--)
    this.#forward(socket, message)
  }

  #forward(socket: Socket, message: Buffer): void {
    const server = connect(Number(this.#upstream.port), this.#upstream.hostname)
    server.on('error', () => socket.destroy())
    server.once('close', () => socket.destroy())
    socket.once('close', () => server.destroy())
    server.write(message)
    const drop = (how: 'now' | 'on use') => {
      const cut = () => {
        this.seen.dropped++
        server.destroy()
        socket.destroy()
      }
      if (how === 'now') return cut()
      socket.unpipe(server)
      socket.once('data', cut).resume()
    }
    this.#drops.add(drop)
    socket.once('close', () => this.#drops.delete(drop))
    socket.pipe(server)
    server.pipe(socket)
  }
}

/** Reads one message, which begins with its length. */
function firstMessage(socket: Socket, use: (message: Buffer) => void): void {
  let got = Buffer.alloc(0)
  const read = (data: Buffer) => {
    got = Buffer.concat([got, data])
    if (got.length < 4 || got.length < got.readInt32BE(0)) return
    socket.off('data', read)
    socket.pause()
    use(got)
    socket.resume()
  }
  socket.on('data', read)
}

function parametersOf(message: Buffer): Record<string, string> {
  const words = message.subarray(8).toString('utf8').split('\0')
  const found: Record<string, string> = {}
  for (let at = 0; at + 1 < words.length && words[at] !== ''; at += 2)
    found[words[at] ?? ''] = words[at + 1] ?? ''
  return found
}

/** An error in the server's own form, as poolers and proxies send it. */
function refuse(socket: Socket, code: string, message: string): void {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  socket.end(Buffer.concat([head, fields]))
}
