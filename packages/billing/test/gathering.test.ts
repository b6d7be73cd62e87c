import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Failure } from '@outgrow/kit'
import { parseEventText } from '../src/inbox/parse-event.ts'
import { storeEvent } from '../src/inbox/store-event.ts'
import { createWebhookHandler } from '../src/index.ts'
import { eventBody, openShop, secret, type Shop } from './shop.ts'

for (const backend of ['sqlite', 'postgres'] as const)
  describe(`a burst of deliveries on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    beforeEach(() => shop.client.webhookEvent.deleteMany())
    afterAll(() => shop.dispose())

    const body = (id: string, apiVersion = '2026-10-28.endive') =>
      eventBody('invoice.paid', { id: 'in_1', customer: 'cus_1' }, { id, created: 1, apiVersion })

    /** A handler whose store counts statements, and which says what it could not store. */
    const counted = () => {
      const batches: number[] = []
      const errors: string[] = []
      const inbox: typeof shop.store.inbox = {
        ...shop.store.inbox,
        store: (events) => {
          batches.push(events.length)
          return shop.store.inbox.store(events)
        },
      }
      const handler = createWebhookHandler({
        store: { ...shop.store, inbox },
        secrets: [secret],
        onError: (text) => errors.push(text),
      })
      const deliver = async (text: string) => {
        const answer = await handler(shop.fake.deliveries.request('http://app/webhook', { body: text }))
        return `${answer.status} ${(await answer.text()).trim()}`
      }
      return { deliver, batches, errors }
    }

    test('is stored with few statements, each answered for its own row', async () => {
      const { deliver, batches } = counted()
      const ids = Array.from({ length: 100 }, (_, at) => `evt_burst_${at}`)
      const answers = await Promise.all([...ids, ...ids.slice(0, 20)].map((id) => deliver(body(id))))
      expect(answers.filter((answer) => answer === '200 Stored')).toHaveLength(100)
      expect(answers.filter((answer) => answer === '200 Known')).toHaveLength(20)
      expect(await shop.client.webhookEvent.count()).toBe(100)
      expect(batches.length).toBeLessThan(20)
      // One alone waits for no other.
      batches.length = 0
      expect(await deliver(body('evt_alone'))).toBe('200 Stored')
      expect(batches).toEqual([1])
    })

    test('an answer is given when the row is committed', async () => {
      const { deliver } = counted()
      const ids = Array.from({ length: 60 }, (_, at) => `evt_commit_${at}`)
      await Promise.all(
        ids.map(async (stripeEventId) => {
          await deliver(body(stripeEventId))
          expect(await shop.client.webhookEvent.count({ where: { stripeEventId } })).toBe(1)
        }),
      )
    })

    test('while the database hangs only so much waits, the rest is answered 503, and all that waited is stored', async () => {
      const goOn = Promise.withResolvers<void>()
      const inbox: typeof shop.store.inbox = {
        ...shop.store.inbox,
        store: async (events) => {
          await goOn.promise
          return shop.store.inbox.store(events)
        },
      }
      const errors: string[] = []
      const store = { ...shop.store, inbox }
      const handler = createWebhookHandler({ store, secrets: [secret], onError: (text) => errors.push(text) })
      const text = body('evt_full')
      const event = parseEventText(text)
      if (!event) throw new Error('no event')
      const arrive = (count: number, name: string) =>
        Array.from({ length: count }, (_, at) =>
          storeEvent(store, { ...event, stripeEventId: `evt_full_${name}${at}` }, text).then(
            () => 'stored',
            (error: Failure) => error.code,
          ),
        )
      const first = arrive(500, 'a')
      // What is being stored waits no more.
      await new Promise((resolve) => setTimeout(resolve, 20))
      const waiting = [...first, ...arrive(10_500, 'b')]
      const answer = await handler(shop.fake.deliveries.request('http://app/webhook', { body: text }))
      expect([answer.status, errors]).toEqual([503, [expect.stringContaining('wait to be stored already')]])
      goOn.resolve()
      const answers = await Promise.all(waiting)
      const stored = answers.filter((one) => one === 'stored').length
      expect(stored).toBeGreaterThanOrEqual(10_000)
      expect(answers.filter((one) => one === 'OUTGROW_BILLING_OVERLOADED')).toHaveLength(11_000 - stored)
      expect(stored).toBeLessThan(11_000)
      expect(await shop.client.webhookEvent.count()).toBe(stored)
    })

    test('one that the database refuses is refused alone', async () => {
      await (backend === 'sqlite'
        ? shop.client.$executeRawUnsafe(
            `CREATE TRIGGER IF NOT EXISTS refuses BEFORE INSERT ON webhook_events WHEN NEW.api_version = 'refused' BEGIN SELECT RAISE(ABORT, 'refused here'); END`,
          )
        : shop.client.$executeRawUnsafe(
            `ALTER TABLE webhook_events ADD CONSTRAINT refuses CHECK (api_version <> 'refused')`,
          ))
      const { deliver, errors } = counted()
      const ids = Array.from({ length: 40 }, (_, at) => `evt_bad_${at}`)
      const answers = await Promise.all(
        ids.map((id, at) => deliver(body(id, at % 20 === 7 ? 'refused' : undefined))),
      )
      expect(answers.filter((answer) => answer === '200 Stored')).toHaveLength(38)
      expect(answers.filter((answer) => answer.startsWith('503'))).toHaveLength(2)
      expect(new Set(errors.map((text) => text.split(' ')[0]))).toEqual(new Set(['evt_bad_7', 'evt_bad_27']))
      expect(await shop.client.webhookEvent.count()).toBe(38)
    })

    test('each is kept as it was signed, whatever is in it', async () => {
      const { deliver } = counted()
      const words = [
        '"',
        '\\',
        '\\"',
        "'",
        '{}',
        '{NULL,"NULL"}',
        ',',
        '$1',
        '\n\t',
        '\0',
        '💶é',
        '\uD800',
        'NULL',
        '',
      ]
      const events = words.map((word, at) => {
        const id = `evt_word_${at}`
        const apiVersion = word.replace('\0', '').toWellFormed()
        const object = { id: 'in_1', customer: 'cus_1', description: word }
        return {
          id,
          apiVersion,
          text: `\n ${eventBody('invoice.paid', object, { id, created: 1, apiVersion })}\t `,
        }
      })
      expect(new Set(await Promise.all(events.map(({ text }) => deliver(text))))).toEqual(
        new Set(['200 Stored']),
      )
      const rows = await shop.client.webhookEvent.findMany()
      expect(rows).toHaveLength(words.length)
      for (const { id, apiVersion, text } of events) {
        const row = rows.find(({ stripeEventId }) => stripeEventId === id)
        expect(row).toMatchObject({
          payload: text,
          apiVersion,
          stripeAccountId: null,
          livemode: false,
          awaitsHook: false,
          stripeCreatedAt: new Date(1000),
          nextAttemptAt: row?.receivedAt,
        })
      }
    })

    test('a NUL in a version, which Postgres has no text for, costs no other its place', async () => {
      const { deliver } = counted()
      const answers = await Promise.all(
        ['evt_nul_1', 'evt_nul_2', 'evt_nul_3'].map((id, at) =>
          deliver(body(id, at === 1 ? 'a\0b' : undefined)),
        ),
      )
      expect(answers.map((answer) => answer.slice(0, 3))).toEqual(['200', '400', '200'])
    })

    test('two processes that store the same events at once wait for each other in one order only', async () => {
      const ids = Array.from({ length: 50 }, (_, at) => `evt_both_${at}`)
      const answers = await Promise.all(
        [ids, ids.toReversed()].flatMap((order) => {
          const { deliver } = counted()
          return order.map((id) => deliver(body(id)))
        }),
      )
      expect(answers.filter((answer) => answer === '200 Stored')).toHaveLength(50)
      expect(answers.filter((answer) => answer === '200 Known')).toHaveLength(50)
    })
  })
