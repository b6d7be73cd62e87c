import { createHash, randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { until } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { startDelayProxy } from '../bench/delay-proxy.ts'
import { startProxyProcess } from '../bench/proxy-process.ts'

interface Listening extends AsyncDisposable {
  port: number
}

async function listen(onConnection: (socket: Socket) => void): Promise<Listening> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

const open = (port: number) => connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })

function randomPieces(): Buffer[] {
  return Array.from({ length: 60 }, () =>
    randomBytes(randomInt(4) === 0 ? randomInt(1, 300_000) : randomInt(1, 50)),
  )
}

/** Writes pieces as fast as they are taken, then ends that direction. */
async function send(socket: Socket, pieces: Buffer[]): Promise<void> {
  for (const piece of pieces) if (!socket.write(piece)) await once(socket, 'drain')
  socket.end()
}

/** Length and hash of all bytes up to the end of that direction. */
async function receive(socket: Socket): Promise<[number, string]> {
  const hash = createHash('sha256')
  let length = 0
  socket.on('data', (bytes) => {
    length += bytes.length
    hash.update(bytes)
  })
  await once(socket, 'end')
  return [length, hash.digest('hex')]
}

const whole = (pieces: Buffer[]): [number, string] => {
  const all = Buffer.concat(pieces)
  return [all.length, createHash('sha256').update(all).digest('hex')]
}

test.each([0, 7])(
  'bytes arrive whole and in order both ways, and are counted, %d ms later',
  async (roundTripMs) => {
    const [asked, answered] = [randomPieces(), randomPieces()]
    let arrived: Promise<[number, string]> | undefined
    await using server = await listen((socket) => {
      arrived = receive(socket)
      void send(socket, answered)
    })
    const proxy = await startDelayProxy({ port: server.port, roundTripMs })
    const client = open(proxy.port)
    const [received] = await Promise.all([receive(client), send(client, asked)])
    expect(received).toEqual(whole(answered))
    expect(await arrived).toEqual(whole(asked))
    expect(proxy.traffic).toEqual({ sentBytes: whole(asked)[0], receivedBytes: whole(answered)[0] })
    await proxy.close()
  },
)

test('a side that has ended still gets the answer', async () => {
  await using server = await listen((socket) => {
    socket.resume().once('end', () => socket.end('all of it has arrived'))
  })
  const proxy = await startDelayProxy({ port: server.port, roundTripMs: 3 })
  const client = open(proxy.port)
  client.end('a question')
  expect((await client.toArray()).join('')).toBe('all of it has arrived')
  await proxy.close()
})

test('connecting takes a round trip, and so does each question, at least', async () => {
  const roundTripMs = 30
  await using server = await listen((socket) => socket.pipe(socket))
  const proxy = await startDelayProxy({ port: server.port, roundTripMs })
  const client = open(proxy.port)
  const asking = async () => {
    const started = performance.now()
    client.write('?')
    await once(client, 'data')
    return performance.now() - started
  }
  // A timer of whole milliseconds may be one early.
  expect(await asking()).toBeGreaterThanOrEqual(2 * roundTripMs - 1)
  for (let time = 0; time < 5; time++) expect(await asking()).toBeGreaterThanOrEqual(roundTripMs)
  client.end()
  await proxy.close()
})

test('what nobody takes is not read on, and arrives once somebody does', async () => {
  const piece = randomBytes(1_000_000)
  const pieces = Array.from({ length: 128 }, () => piece)
  const accepted = Promise.withResolvers<Socket>()
  await using server = await listen(accepted.resolve)
  const proxy = await startDelayProxy({ port: server.port, roundTripMs: 2, maxQueuedBytes: 1_000_000 })
  const client = open(proxy.port)
  const sending = send(client, pieces)
  const socket = await accepted.promise
  let seen = 0
  await until(() => {
    const before = seen
    seen = proxy.traffic.sentBytes
    return before > 0 && seen === before
  })
  // What the kernel's own buffers hold was read, too.
  expect(seen).toBeLessThan((pieces.length * piece.length) / 2)
  const received = await receive(socket)
  socket.end()
  await sending
  expect(received).toEqual(whole(pieces))
  await proxy.close()
})

test('a connection that breaks breaks on the other side too', async () => {
  await using server = await listen((socket) => socket.resetAndDestroy())
  const proxy = await startDelayProxy({ port: server.port, roundTripMs: 0 })
  const [error] = (await once(open(proxy.port), 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  await proxy.close()
})

test('the proxy counts in a process of its own, too, which ends with its use', async () => {
  await using server = await listen((socket) => socket.pipe(socket))
  const { port } = server
  let proxyPort
  {
    await using proxy = await startProxyProcess({ port, roundTripMs: 0 })
    proxyPort = proxy.port
    const client = open(proxy.port)
    client.end('12345')
    expect((await client.toArray()).join('')).toBe('12345')
    expect(await proxy.traffic()).toEqual({ sentBytes: 5, receivedBytes: 5 })
  }
  const [error] = (await once(open(proxyPort), 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})
