import { openDatabase } from '@outgrow/client'
import { sampleClients, type PrismaClient } from '@outgrow/sample'
import { backends, isThere, makeSampleDatabase, TcpGate, until } from '@outgrow/testing'
import { describe, expect, inject, test } from 'vitest'
import { createWebhookHandler, prismaStore } from '../src/index.ts'
import { eventBody, secret, shopOn } from './shop.ts'

/** A worker that would look again in an hour: what it does before, it was woken for. */
const hourMs = 3_600_000

/** A class of its own is a client of its own, as another process has it. */
async function elsewhere(url: string) {
  const clients = {
    sqlite: async () => {
      const { PrismaClient } = await sampleClients.sqlite()
      return { PrismaClient: class extends PrismaClient {} }
    },
    postgres: sampleClients.postgres,
  }
  const database = await openDatabase<PrismaClient>(clients, url)
  return { database, handler: createWebhookHandler({ store: prismaStore(database), secrets: [secret] }) }
}

async function openAwake(made: Awaited<ReturnType<typeof makeSampleDatabase>>, directUrl: string) {
  const database = await openDatabase<PrismaClient>(sampleClients, made.url, { directUrl })
  const shop = await shopOn({ database, drop: () => made.drop() })
  const { customer } = await shop.account()
  shop.fake.deliveries.take()
  const stop = new AbortController()
  let looks = 0
  const lease = shop.store.inbox.lease.bind(shop.store.inbox)
  const inbox = {
    ...shop.store.inbox,
    lease: (request: Parameters<typeof lease>[0]) => {
      looks++
      return lease(request)
    },
  }
  const working = shop.work({
    store: { ...shop.store, inbox },
    untilEmpty: false,
    pollMs: hourMs,
    signal: stop.signal,
  })
  let events = 0
  return {
    shop,
    looks: () => looks,
    /** An event that nobody has processed yet. */
    next: () =>
      shop.fake.deliveries.request('http://app/webhook', {
        body: eventBody(
          'customer.subscription.updated',
          { id: 'sub_1', object: 'subscription', customer },
          { id: `evt_wake_${++events}`, created: shop.fake.store.now },
        ),
      }),
    processed: () =>
      until(async () => (await shop.client.webhookEvent.count({ where: { status: 'DONE' } })) === events),
    async close() {
      stop.abort()
      await working
      await shop.dispose()
    },
  }
}

const listening = async (client: PrismaClient): Promise<boolean> => {
  const rows = await client.$queryRawUnsafe<unknown[]>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  )
  return rows.length > 0
}

for (const backend of backends)
  describe.skipIf(!isThere(backend))(`an idle worker on ${backend}`, () => {
    test('is woken by an event of its own process, and looks no more often than there is something', async () => {
      const made = await makeSampleDatabase(backend, inject('postgresUrl'))
      const awake = await openAwake(made, made.directUrl)
      await until(() => awake.looks() > 0)
      for (let event = 0; event < 5; event++) {
        expect((await awake.shop.handler(awake.next())).status).toBe(200)
        await awake.processed()
      }
      expect(awake.looks()).toBeLessThan(5 * 10)
      await awake.close()
    })
  })

for (const backend of backends.filter((one) => one !== 'sqlite'))
  describe.skipIf(!isThere(backend))(`an idle worker on ${backend}, of another process’ events`, () => {
    test('is woken by them', async () => {
      const made = await makeSampleDatabase(backend, inject('postgresUrl'))
      const awake = await openAwake(made, made.directUrl)
      const other = await elsewhere(made.url)
      await until(() => listening(other.database.client))
      for (let event = 0; event < 5; event++) {
        expect((await other.handler(awake.next())).status).toBe(200)
        await awake.processed()
      }
      await other.database.close()
      await awake.close()
    })

    test('hears of what came while its connection was lost, when it has another', async () => {
      const made = await makeSampleDatabase(backend, inject('postgresUrl'))
      const gate = await TcpGate.open()
      const direct = new URL(made.directUrl)
      gate.port = Number(direct.port)
      direct.port = String(gate.listening)
      const awake = await openAwake(made, direct.href)
      const other = await elsewhere(made.url)
      await until(() => listening(other.database.client))
      gate.port = 1 // nobody is there
      gate.cut()
      await until(async () => !(await listening(other.database.client)))
      expect((await other.handler(awake.next())).status).toBe(200)
      gate.port = Number(new URL(made.directUrl).port)
      await awake.processed()
      expect((await other.handler(awake.next())).status).toBe(200)
      await awake.processed()
      await other.database.close()
      await awake.close()
      await gate.close()
    })
  })

test.skipIf(!isThere('postgres behind pgbouncer'))(
  'behind a pooler with no way past it a worker looks now and then',
  async () => {
    const made = await makeSampleDatabase('postgres behind pgbouncer', inject('postgresUrl'))
    const other = await elsewhere(made.url)
    const shop = await shopOn({ ...other, drop: () => made.drop() })
    const { customer } = await shop.account()
    const stop = new AbortController()
    const working = shop.work({ untilEmpty: false, pollMs: 20, signal: stop.signal })
    const body = eventBody(
      'customer.subscription.updated',
      { id: 'sub_1', object: 'subscription', customer },
      { id: 'evt_poll', created: shop.fake.store.now },
    )
    const writer = await elsewhere(made.url)
    expect((await writer.handler(shop.fake.deliveries.request('http://a/', { body }))).status).toBe(200)
    await until(async () => (await shop.client.webhookEvent.count({ where: { status: 'DONE' } })) === 1)
    expect(await listening(shop.client)).toBe(false)
    stop.abort()
    await working
    await writer.database.close()
    await shop.dispose()
  },
)
