import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface DelayOptions {
  /** Loopback port of the server. */
  port: number
  /** By how much longer a round trip takes, that of connecting included. */
  roundTripMs: number
  /** Once so much is under way in one direction of a connection, no more is read. By default 16 MB, or what 1 GB/s comes to. */
  maxQueuedBytes?: number
}

/** What went over the wire, as the client sees it. */
export interface Traffic {
  sentBytes: number
  receivedBytes: number
}

export interface DelayProxy {
  /** Loopback port to connect to in place of the server's. */
  port: number
  readonly traffic: Readonly<Traffic>
  close(): Promise<void>
}

/** Pieces that are due are handed to the socket up to here, so that many of them are one write. */
const socketOptions = { allowHalfOpen: true, noDelay: true, highWaterMark: 1024 * 1024 }

/**
 * Listens on loopback and passes everything on to a server, both ways, in order, half the round trip later. It limits no
 * bandwidth: there is no slow start, no loss, and a window that is never in the way.
 */
export async function startDelayProxy(options: DelayOptions): Promise<DelayProxy> {
  const { port, roundTripMs } = options
  const delayMs = roundTripMs / 2
  const maxQueuedBytes = options.maxQueuedBytes ?? Math.max(16, delayMs) * 1e6
  const traffic: Traffic = { sentBytes: 0, receivedBytes: 0 }
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {}) // the other side is told below
  }
  const join = (client: Socket) => {
    if (client.destroyed) return
    const server = connect({ port, host: '127.0.0.1', ...socketOptions })
    keep(server)
    carry(client, server, { delayMs, maxQueuedBytes, onBytes: (bytes) => (traffic.sentBytes += bytes) })
    carry(server, client, { delayMs, maxQueuedBytes, onBytes: (bytes) => (traffic.receivedBytes += bytes) })
  }
  const listener = createServer({ ...socketOptions, pauseOnConnect: true }, (client) => {
    keep(client)
    setTimeout(join, roundTripMs, client) // a handshake is a round trip
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    traffic,
    close: async () => {
      const closed = once(listener, 'close')
      listener.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

interface Carrying {
  delayMs: number
  maxQueuedBytes: number
  onBytes(bytes: number): void
}

/** Carries one direction of a connection. */
function carry(from: Socket, to: Socket, { delayMs, maxQueuedBytes, onBytes }: Carrying): void {
  /** What is under way; the end has no bytes. */
  const queue: { bytes: Buffer | undefined; dueAt: number }[] = []
  let queuedBytes = 0
  let isAwaited = false
  const put = (bytes: Buffer | undefined) => {
    queue.push({ bytes, dueAt: performance.now() + delayMs })
    if (!isAwaited) deliver()
  }
  const deliver = () => {
    isAwaited = false
    if (to.destroyed) return
    const now = performance.now()
    to.cork()
    for (let next = queue[0]; next && next.dueAt <= now && !to.writableNeedDrain; next = queue[0]) {
      queue.shift()
      if (next.bytes === undefined) to.end()
      else {
        queuedBytes -= next.bytes.length
        to.write(next.bytes)
      }
    }
    to.uncork()
    if (queuedBytes < maxQueuedBytes) from.resume()
    const [next] = queue
    if (next === undefined) return
    isAwaited = true
    if (to.writableNeedDrain) to.once('drain', deliver)
    // A timer's whole milliseconds are rounded down.
    else setTimeout(deliver, Math.ceil(next.dueAt - now))
  }
  from.on('data', (bytes) => {
    onBytes(bytes.length)
    queuedBytes += bytes.length
    if (queuedBytes >= maxQueuedBytes) from.pause()
    put(bytes)
  })
  from.once('end', () => put(undefined))
  from.once('error', () => to.resetAndDestroy())
  from.resume()
}
