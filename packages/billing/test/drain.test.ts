import { Stripe } from 'stripe'
import { thinDelivery } from '@outgrow/stripe-fake'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EventLeaseRequest } from '../src/index.ts'
import { eventBody, openShop, statusOf, type Shop } from './shop.ts'

/** Counts what Stripe is asked, by method and path without ids. */
function countingStripe(shop: Shop, before?: (url: URL) => Promise<void> | void) {
  const calls: string[] = []
  const stripe = new Stripe('sk_test_shop', {
    maxNetworkRetries: 0,
    httpClient: Stripe.createFetchHttpClient(async (...request: Parameters<typeof fetch>) => {
      const url = new URL(request[0] instanceof Request ? request[0].url : String(request[0]))
      calls.push(`${request[1]?.method ?? 'GET'} ${url.pathname.replaceAll(/\/[a-z]+_\w*\d\w*/g, '/:id')}`)
      await before?.(url)
      return shop.fake.fetch(...request)
    }),
  })
  return { stripe, calls }
}

for (const backend of ['sqlite', 'postgres'] as const)
  describe(`draining on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    beforeEach(async () => {
      shop.fake.recover()
      shop.fake.advance(3600)
      shop.fake.deliveries.take()
      await shop.client.webhookEvent.deleteMany()
    })
    afterAll(() => shop.dispose())

    let events = 0
    const touched = (customer: string, type = 'customer.subscription.updated', objectId = `sub_${events}`) =>
      eventBody(
        type,
        { id: objectId, object: 'subscription', customer },
        { id: `evt_drain_${String(events++).padStart(5, '0')}`, created: shop.fake.store.now },
      )
    const deliver = async (bodies: string[]) => {
      const answers = await Promise.all(bodies.map((body) => shop.deliver({ body })))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    }
    const subscribed = async () => {
      const account = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({
        customer: account.customer,
        items: [{ price: 'price_pro' }],
      })
      shop.fake.deliveries.take()
      return { ...account, subscription: id }
    }
    const leaseOf = (limit: number, now = new Date()): EventLeaseRequest => ({
      now,
      until: new Date(now.getTime() + 80_000),
      limit,
      hooks: [],
      inWork: { from: new Date(now.getTime() + 70_000), to: new Date(now.getTime() + 90_000) },
    })

    test('one synchronisation settles ten events of a customer, each on its own record', async () => {
      const { customer, subscription } = await subscribed()
      await deliver(Array.from({ length: 10 }, () => touched(customer)))
      const { stripe, calls } = countingStripe(shop)
      const totals = await shop.work({ stripe })
      expect(totals).toMatchObject({ applied: 10, superseded: 0, failed: 0 })
      expect(calls).toEqual(['GET /v1/subscriptions'])
      expect(await statusOf(shop.database, subscription)).toBe('active')
      const rows = await shop.client.webhookEvent.findMany()
      expect(rows.map(({ status, outcome, attempts }) => [status, outcome, attempts])).toEqual(
        Array.from({ length: 10 }, () => ['DONE', 'applied', 1]),
      )
    })

    test('a customer without a subscription is asked for himself', async () => {
      const { customer } = await shop.account()
      shop.fake.deliveries.take()
      await deliver([touched(customer)])
      const { stripe, calls } = countingStripe(shop)
      expect(await shop.work({ stripe })).toMatchObject({ applied: 1 })
      expect(calls).toEqual(['GET /v1/subscriptions', 'GET /v1/customers/:id'])
    })

    test('one event behind another customer’s 600 is taken with the next lease', async () => {
      const noisy = await subscribed()
      const quiet = await subscribed()
      await deliver(Array.from({ length: 600 }, () => touched(noisy.customer)))
      await deliver([touched(quiet.customer)])
      const first = await shop.store.inbox.lease(leaseOf(1))
      expect(new Set(first.map(({ stripeCustomerId }) => stripeCustomerId))).toEqual(
        new Set([noisy.customer]),
      )
      // What is left of the noisy one waits while somebody works on it.
      const second = await shop.store.inbox.lease(leaseOf(1))
      expect(second.map(({ stripeCustomerId }) => stripeCustomerId)).toEqual([quiet.customer])
      expect(await shop.store.inbox.lease(leaseOf(5))).toEqual([])
      // Whoever took them long ago may be dead: that holds up nothing new.
      const later = await shop.store.inbox.lease(leaseOf(1, new Date(Date.now() + 20_000)))
      expect(first.length + later.length).toBe(600)
    })

    test('however many workers look at once, each event is taken by one of them', async () => {
      const accounts = [await subscribed(), await subscribed(), await subscribed()]
      await deliver(accounts.flatMap(({ customer }) => Array.from({ length: 7 }, () => touched(customer))))
      const taken = await Promise.all(Array.from({ length: 6 }, () => shop.store.inbox.lease(leaseOf(1))))
      const ids = taken.flat().map(({ id }) => id)
      const rest = await shop.store.inbox.lease(leaseOf(10))
      expect(new Set([...ids, ...rest.map(({ id }) => id)]).size).toBe(21)
      expect(ids.length + rest.length).toBe(21)
    })

    test('an event that cannot be processed holds up none of its customer’s others', async () => {
      const { customer, subscription } = await subscribed()
      await deliver([
        touched(customer),
        touched(customer, 'checkout.session.completed', 'cs_test_0of_nobody'),
        touched(customer, 'invoice.paid', 'in_7'),
      ])
      const totals = await shop.work()
      expect(totals).toMatchObject({ applied: 2, failed: 1 })
      expect(await statusOf(shop.database, subscription)).toBe('active')
      expect(shop.sent.map(({ key }) => key)).toContain('invoice.paid:in_7')
      const [poison] = await shop.client.webhookEvent.findMany({ where: { status: 'PENDING' } })
      expect(poison).toMatchObject({ type: 'checkout.session.completed', attempts: 1 })
      expect(poison?.lastError).toContain('resource_missing')
    })

    test('when the synchronisation fails, all of its events wait', async () => {
      const { customer } = await subscribed()
      await deliver([touched(customer), touched(customer)])
      shop.fake.fail({ status: 500, times: 1 })
      expect(await shop.work()).toMatchObject({ applied: 0, failed: 2 })
      const rows = await shop.client.webhookEvent.findMany()
      expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual([
        ['PENDING', 1],
        ['PENDING', 1],
      ])
    })

    test('a stream of new events does not wear out the older ones of a customer while Stripe is down', async () => {
      const { customer } = await subscribed()
      await deliver([touched(customer)])
      shop.fake.fail({ status: 500, times: 10_000 })
      for (let second = 0; second < 40; second++) {
        await shop.work()
        shop.fake.advance(1)
        await deliver([touched(customer)])
      }
      const { attempts } = await shop.client.webhookEvent.findFirstOrThrow({ orderBy: { id: 'asc' } })
      expect(attempts).toBeLessThan(12)
    })

    test('an object that is locked at Stripe is tried again, and makes nobody else wait', async () => {
      const one = await subscribed()
      const other = await subscribed()
      await deliver([touched(one.customer), touched(other.customer)])
      const { stripe } = countingStripe(shop)
      const locked = new Stripe('sk_test_shop', {
        maxNetworkRetries: 0,
        httpClient: Stripe.createFetchHttpClient(async (...request: Parameters<typeof fetch>) =>
          new Request(...request).url.includes(one.customer)
            ? Response.json(
                { error: { type: 'invalid_request_error', code: 'lock_timeout', message: 'locked' } },
                { status: 429 },
              )
            : shop.fake.fetch(...request),
        ),
      })
      expect(await shop.work({ stripe: locked, concurrency: 1 })).toMatchObject({
        applied: 1,
        failed: 1,
        limited: 0,
      })
      shop.fake.advance(10)
      expect(await shop.work({ stripe })).toMatchObject({ applied: 1 })
    })

    test('a sender that throws at once is tried again, and its time limit ends nothing later', async () => {
      const { customer } = await subscribed()
      await deliver([touched(customer, 'invoice.paid', 'in_throws')])
      const unhandled: unknown[] = []
      const hear = (error: unknown) => unhandled.push(error)
      process.on('unhandledRejection', hear)
      const send = (): Promise<void> => {
        throw new Error('no mail server')
      }
      expect((await shop.work({ send, leaseMs: 40 })).unsent).toBeGreaterThan(0)
      await new Promise((resolve) => setTimeout(resolve, 100)) // longer than the limit
      process.off('unhandledRejection', hear)
      expect(unhandled).toEqual([])
      shop.fake.advance(60)
      await shop.work()
      expect(shop.sent.map(({ key }) => key)).toContain('invoice.paid:in_throws')
    })

    test('thin events of one customer are told whose they are, and settled together', async () => {
      const { customer, subscription } = await subscribed()
      for (const kept of ['a', 'b', 'c'])
        await shop.stripe.subscriptions.update(subscription, { metadata: { kept } })
      const thin = shop.fake.deliveries.take().map(({ event }) => thinDelivery(event).body)
      expect(thin).toHaveLength(3)
      await deliver(thin)
      const { stripe, calls } = countingStripe(shop)
      expect(await shop.work({ stripe })).toMatchObject({ applied: 3, failed: 0 })
      expect(calls.filter((call) => call === 'GET /v1/subscriptions')).toHaveLength(1)
      const rows = await shop.client.webhookEvent.findMany()
      expect(rows.map(({ customerId, attempts }) => [customerId, attempts])).toEqual(
        rows.map(() => [customer, 1]),
      )
    })
  })
