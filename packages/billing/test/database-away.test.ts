import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { openSample } from '@outgrow/sample'
import { StripeFake } from '@outgrow/stripe-fake'
import { makeSampleDatabase, until } from '@outgrow/testing'
import { Stripe } from 'stripe'
import { expect, inject, test } from 'vitest'
import { prismaStore, runWorker } from '../src/index.ts'

/** A way to the server that can be cut. */
async function wire(port: number) {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
    mend: () => {
      isCut = false
    },
    close: () => server.close(),
  }
}

test('a worker waits while the database is unavailable, and goes on when it is back', async () => {
  const made = await makeSampleDatabase('postgres', inject('postgresUrl'))
  const direct = new URL(made.url)
  const line = await wire(Number(direct.port))
  const through = new URL(made.url)
  through.port = String(line.port)
  const stripe = new Stripe('sk_test_x', { httpClient: Stripe.createFetchHttpClient(new StripeFake().fetch) })
  const database = await openSample(through.href)
  const owner = await openSample(made.url)
  const stop = new AbortController()
  let away = 0
  const working = runWorker({
    store: prismaStore(database),
    stripe,
    signal: stop.signal,
    pollMs: 50,
    onUnavailable: () => away++,
  })
  line.cut()
  await until(() => away > 0)
  await owner.client.webhookEvent.create({
    data: { stripeEventId: 'evt_after', type: 'invoice.paid', payload: '{}', objectId: 'in_of_nobody' },
  })
  line.mend()
  await until(async () => (await owner.client.webhookEvent.findFirstOrThrow()).attempts > 0)
  stop.abort()
  await working
  expect(away).toBeGreaterThan(0)
  await database.close()
  await owner.close()
  line.close()
  await made.drop()
})
