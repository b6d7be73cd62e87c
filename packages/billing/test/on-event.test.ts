import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PrismaClient } from '@outgrow/sample'
import {
  createWebhookHandler,
  linkCustomer,
  reconcile,
  replay,
  type EventHooks,
  type HookedEvent,
} from '../src/index.ts'
import { onEvent as example } from './on-event-example.ts'
import { eventBody, openShop, secret, statusOf, type Shop } from './shop.ts'

type Hooks = EventHooks<Pick<PrismaClient, 'account' | 'logEntry' | 'billingCustomer'>>

test('docs/billing.md shows the example that is tested here', () => {
  const code = readFileSync(join(import.meta.dirname, 'on-event-example.ts'), 'utf8')
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/billing.md'), 'utf8')
  expect(docs).toContain(code.slice(code.indexOf('export const onEvent')).trim())
})

for (const backend of ['sqlite', 'postgres'] as const)
  describe(`hooks on ${backend}`, () => {
    let shop: Shop
    let events = 0
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    beforeEach(async () => {
      shop.sent.length = 0
      await shop.client.webhookEvent.deleteMany()
      await shop.client.outboxMessage.deleteMany()
      await shop.client.logEntry.deleteMany()
    })
    afterAll(() => shop.dispose())

    const body = (type: string, object: object, account?: string): string => {
      const id = `evt_hook_${++events}`
      const event = JSON.parse(eventBody(type, object, { id, created: shop.fake.store.now })) as object
      return JSON.stringify({ ...event, ...(account === undefined ? {} : { account }) })
    }
    const deliver = async (onEvent: Hooks, ...bodies: string[]) => {
      const handler = createWebhookHandler({ store: shop.store, secrets: [secret], onEvent })
      for (const one of bodies) {
        const answer = await handler(shop.fake.deliveries.request('http://app/webhook', { body: one }))
        expect(answer.status).toBe(200)
      }
    }
    const outcomes = async () => {
      const rows = await shop.client.webhookEvent.findMany({ orderBy: { id: 'asc' } })
      return rows.map(({ status, outcome }) => [status, outcome])
    }

    test('the example: one message, and a row in the transaction that settles the event', async () => {
      const { customer, accountId } = await shop.account()
      const upcoming = { object: 'invoice', customer, period_end: 1_800_000_000 }
      const paid = { id: 'in_1', object: 'invoice', customer }
      await deliver(
        example,
        body('invoice.upcoming', upcoming),
        body('invoice.upcoming', upcoming),
        body('invoice.paid', paid),
      )
      await shop.work({ onEvent: example })
      expect(shop.sent.filter(({ topic }) => topic === 'renewal.soon')).toEqual([
        {
          key: `hook:renewal.soon:${customer}:1800000000`,
          topic: 'renewal.soon',
          payload: {
            customerId: customer,
            objectId: expect.stringContaining('evt_hook_') as string,
            data: { dueAt: 1_800_000_000 },
          },
        },
      ])
      // Billing's own effect of the same event is there too.
      expect(shop.sent.map(({ key }) => key)).toContain('invoice.paid:in_1')
      expect(await shop.client.logEntry.findMany({ where: { accountId } })).toMatchObject([
        { action: 'paid in_1' },
      ])
      expect(await outcomes()).toEqual(Array.from({ length: 3 }, () => ['DONE', 'hook ran']))
    })

    test('an event without a hook is ignored when it arrives; what a prototype has is none', async () => {
      await deliver(example, body('payout.paid', { id: 'po_1' }), body('constructor', { id: 'x_1' }))
      expect(await outcomes()).toEqual([
        ['IGNORED', null],
        ['IGNORED', null],
      ])
    })

    test('runs once, however often the event is delivered and replayed', async () => {
      const seen: HookedEvent[] = []
      const hooks: Hooks = {
        'payout.paid': {
          inTransaction: (_, event) => {
            seen.push(event)
            return Promise.resolve()
          },
        },
      }
      const payout = body('payout.paid', { id: 'po_1', object: 'payout' })
      await deliver(hooks, payout, payout)
      await shop.work({ onEvent: hooks })
      await deliver(hooks, payout)
      expect(await replay(shop.store, {})).toBe(1)
      await shop.work({ onEvent: hooks })
      expect(seen).toMatchObject([{ type: 'payout.paid', objectId: 'po_1', account: null, customerId: null }])
      expect(seen[0]?.payload).toEqual(JSON.parse(payout))
    })

    test('one that throws takes back what it wrote, is tried again, and holds up nothing else', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      shop.fake.deliveries.take()
      let isBroken = true
      const hooks: Hooks = {
        'invoice.paid': {
          async inTransaction(tx, { objectId }) {
            await tx.logEntry.create({ data: { accountId, actor: 'stripe', action: `paid ${objectId}` } })
            if (isBroken && objectId === 'in_bad') throw new Error('not yet')
          },
        },
      }
      const paid = (invoice: string) => body('invoice.paid', { id: invoice, object: 'invoice', customer })
      await deliver(hooks, paid('in_bad'), paid('in_good'))
      expect(await shop.work({ onEvent: hooks })).toMatchObject({ applied: 1, failed: 1 })
      expect(await statusOf(shop.database, id)).toBe('active')
      const actions = async () =>
        (await shop.client.logEntry.findMany()).map(({ action }) => action).toSorted()
      expect(await actions()).toEqual(['paid in_good'])
      expect(await shop.client.webhookEvent.findMany({ where: { status: 'PENDING' } })).toMatchObject([
        { objectId: 'in_bad', attempts: 1, lastError: 'not yet', awaitsHook: true },
      ])
      isBroken = false
      shop.fake.advance(60)
      expect(await shop.work({ onEvent: hooks })).toMatchObject({ applied: 1, failed: 0 })
      expect(await actions()).toEqual(['paid in_bad', 'paid in_good'])
    })

    test('a hook that another service tells to wait counts its attempt, and makes nobody wait for Stripe', async () => {
      const { customer } = await shop.account()
      const hooks: Hooks = {
        'payout.paid': {
          inTransaction: () => Promise.reject(Object.assign(new Error('slow down'), { statusCode: 429 })),
        },
      }
      const paid = body('invoice.paid', { id: 'in_other', object: 'invoice', customer })
      await deliver(hooks, body('payout.paid', { id: 'po_429', object: 'payout' }), paid)
      const totals = await shop.work({ onEvent: hooks, concurrency: 1 })
      expect(totals).toMatchObject({ failed: 1, limited: 0, applied: 1 })
    })

    test('a worker without the hook leaves the event to one that has it, and works off the others', async () => {
      const { customer } = await shop.account()
      let runs = 0
      const hooks: Hooks = {
        'invoice.paid': {
          inTransaction: () => {
            runs++
            return Promise.resolve()
          },
        },
      }
      const object = { id: 'in_2', object: 'invoice', customer }
      await deliver(hooks, body('invoice.paid', object), body('invoice.finalization_failed', object))
      expect(await shop.work()).toMatchObject({ applied: 1, ignored: 0, failed: 0 })
      expect(await shop.work({ onEvent: { 'payout.paid': hooks['invoice.paid'] } })).toMatchObject({
        applied: 0,
        ignored: 0,
      })
      expect(await shop.work({ onEvent: hooks })).toMatchObject({ applied: 1 })
      expect(runs).toBe(1)
    })

    test('reconcile fetches what never arrived for hooks too; old messages are not sent', async () => {
      const hooks: Hooks = { 'payout.paid': { outbox: () => [{ topic: 'payout' }] } }
      shop.fake.advance(20 * 86_400)
      shop.fake.emit('payout.paid', { id: 'po_old', object: 'payout' })
      shop.fake.advance(5 * 86_400)
      shop.fake.emit('payout.paid', { id: 'po_new', object: 'payout' })
      shop.fake.deliveries.take()
      shop.fake.advance(3600)
      const { missingEvents } = await reconcile({ ...shop.billing, onEvent: hooks }, { days: 10 })
      expect(missingEvents).toHaveLength(2)
      await shop.work({ onEvent: hooks })
      expect(shop.sent.filter(({ topic }) => topic === 'payout')).toMatchObject([
        { payload: { objectId: 'po_new' } },
      ])
    })

    test('a hook that ran before the customer was linked costs the account none of billing’s own messages', async () => {
      let runs = 0
      const hooks: Hooks = {
        'invoice.paid': {
          inTransaction: () => {
            runs++
            return Promise.resolve()
          },
        },
      }
      const customer = await shop.stranger()
      await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      await deliver(hooks, ...shop.fake.deliveries.take().map((delivery) => delivery.body))
      await shop.work({ onEvent: hooks })
      expect(runs).toBe(1)
      const { id: accountId } = await shop.client.account.create({ data: { name: 'late', slug: 'late' } })
      await linkCustomer(shop.billing, { accountId, stripeCustomerId: customer })
      await shop.work({ onEvent: hooks })
      expect([runs, await shop.messages(customer)]).toEqual([
        1,
        { 'invoice.paid': 'sent', 'subscription.started': 'sent' },
      ])
    })

    test('one whose lease was lost does nothing', async () => {
      let runs = 0
      const hooks: Hooks = {
        'payout.paid': {
          inTransaction: () => {
            runs++
            return Promise.resolve()
          },
        },
      }
      await deliver(hooks, body('payout.paid', { id: 'po_2', object: 'payout' }))
      const inbox = {
        ...shop.store.inbox,
        // Another worker takes it before this one begins.
        lease: async (request: Parameters<typeof shop.store.inbox.lease>[0]) => {
          const leased = await shop.store.inbox.lease(request)
          await shop.client.webhookEvent.updateMany({ data: { attempts: { increment: 1 } } })
          return leased
        },
      }
      expect(await shop.work({ onEvent: hooks, store: { ...shop.store, inbox } })).toMatchObject({
        applied: 0,
      })
      expect(runs).toBe(0)
    })

    test('events of a connected account go to hooks only, whatever their customer is called', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      await shop.settle()
      shop.sent.length = 0
      await shop.client.webhookEvent.deleteMany()
      await shop.stripe.subscriptions.cancel(id)
      shop.fake.deliveries.take()
      const subscription = { id, object: 'subscription', customer }
      const theirs = (type: string) => body(type, subscription, 'acct_1Other')
      await deliver({}, theirs('customer.subscription.deleted'))
      const accounts: (string | null)[] = []
      const hooks: Hooks = {
        'customer.subscription.updated': {
          inTransaction: (_, { account }) => {
            accounts.push(account)
            return Promise.resolve()
          },
        },
        'invoice.paid': { outbox: () => [{ topic: 'theirs' }] },
      }
      await deliver(hooks, theirs('customer.subscription.updated'), theirs('invoice.paid'))
      await shop.work({ onEvent: hooks })
      expect(accounts).toEqual(['acct_1Other'])
      expect(shop.sent.filter(({ topic }) => topic === 'theirs')).toMatchObject([
        { payload: { account: 'acct_1Other', customerId: customer } },
      ])
      // Nobody has looked at the own customer of that name, nor is anything said about him.
      expect(await statusOf(shop.database, id)).toBe('active')
      expect(shop.sent.map(({ topic }) => topic)).toEqual(['theirs'])
      expect(await shop.client.entitlement.count({ where: { accountId } })).toBeGreaterThan(0)
      expect(await outcomes()).toEqual([
        ['IGNORED', null],
        ['DONE', 'hook ran'],
        ['DONE', 'hook ran'],
      ])
      const replayed = await replay(shop.store, {})
      expect(replayed).toBe(3)
      expect(await shop.work({ onEvent: hooks })).toMatchObject({ applied: 0, ignored: 3 })
    })

    test('an account that cannot be read is refused, not taken for the own one', async () => {
      const odd = body('invoice.paid', { id: 'in_1', customer: 'cus_1' }, 'acct 1; DROP')
      const request = shop.fake.deliveries.request('http://app/webhook', { body: odd })
      expect((await shop.handler(request)).status).toBe(400)
    })
  })
