import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** The way to a server, which can be cut. */
export interface FaultProxy extends AsyncDisposable {
  port: number
  /** `reset` ends every connection and refuses new ones; `stall` lets nothing through, and nobody is told. */
  cut(how: 'reset' | 'stall'): void
  /** Lets everything through again, what was held back included. */
  heal(): void
}

/** Listens on loopback and passes everything on to a server. */
export async function startFaultProxy(serverPort: number): Promise<FaultProxy> {
  const pairs = new Set<[Socket, Socket]>()
  let cut: 'reset' | 'stall' | undefined
  let waiting: Socket[] = []
  const join = (client: Socket) => {
    const server = connect({ port: serverPort, host: '127.0.0.1', noDelay: true })
    const pair: [Socket, Socket] = [client, server]
    pairs.add(pair)
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.on('error', () => {}) // the other side is told when it closes
      from.once('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause()
      })
      to.on('drain', () => cut !== 'stall' && from.resume())
    }
  }
  const listener = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    if (cut === 'reset') client.resetAndDestroy()
    else if (cut === 'stall') waiting.push(client)
    else {
      join(client)
      client.resume()
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    cut(how) {
      cut = how
      for (const socket of [...pairs].flat()) {
        if (how === 'reset') socket.resetAndDestroy()
        else socket.pause()
      }
    },
    heal() {
      cut = undefined
      for (const client of waiting) {
        join(client)
        client.resume()
      }
      waiting = []
      for (const pair of pairs) for (const socket of pair) socket.resume()
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(listener, 'close')
      listener.close()
      for (const pair of pairs) for (const socket of pair) socket.destroy()
      for (const client of waiting) client.destroy()
      await closed
    },
  }
}
