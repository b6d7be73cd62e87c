import { Stripe } from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CallBudget, endpointOf, limitCalls } from '../src/config/call-budget.ts'
import { eventBody, openShop, type Shop } from './shop.ts'

/** A clock that only moves when somebody waits. */
function virtualClock() {
  let now = 0
  const waiting: { until: number; resolve: () => void }[] = []
  return {
    now: () => now,
    wait: (ms: number) =>
      new Promise<void>((resolve) => {
        waiting.push({ until: now + ms, resolve })
      }),
    /** Lets everything pass that waits, in its order. */
    async run() {
      for (;;) {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve()
        const [next] = waiting.toSorted((a, b) => a.until - b.until)
        if (!next) return
        waiting.splice(waiting.indexOf(next), 1)
        now = next.until
        next.resolve()
      }
    },
  }
}

/** The most that fall into one second. */
function mostInASecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length))
}

describe('a budget of calls', () => {
  test('gives an endpoint no more than Stripe allows in any second, and the others theirs', async () => {
    const clock = virtualClock()
    const budget = new CallBudget(20, clock)
    const made: Record<string, number[]> = { list: [], retrieve: [] }
    const callers = Object.entries(made).flatMap(([endpoint, times]) =>
      Array.from({ length: 100 }, async () => {
        await budget.take(endpoint)
        times.push(clock.now())
      }),
    )
    await clock.run()
    await Promise.all(callers)
    for (const times of Object.values(made)) {
      expect(times).toHaveLength(100)
      expect(mostInASecond(times)).toBeLessThanOrEqual(25)
      expect(Math.max(...times)).toBeLessThanOrEqual(100 * 50) // and no fewer than 20 a second
    }
  })

  test('lets calls go in the order in which they came', async () => {
    const clock = virtualClock()
    const budget = new CallBudget(2, clock)
    const order: number[] = []
    const callers = Array.from({ length: 10 }, async (_, at) => {
      await budget.take('x')
      order.push(at)
    })
    await clock.run()
    await Promise.all(callers)
    expect(order).toEqual([...order].toSorted((a, b) => a - b))
  })

  test.each([
    ['GET', '/v1/subscriptions?customer=cus_1&status=all', 'GET /v1/subscriptions'],
    ['GET', '/v1/customers/cus_NffrFeUfNV2Hib', 'GET /v1/customers/:id'],
    ['POST', '/v1/checkout/sessions/cs_test_a1b2/expire', 'POST /v1/checkout/sessions/:id/expire'],
    ['GET', '/v1/subscription_items?subscription=sub_1', 'GET /v1/subscription_items'],
    ['GET', '/v1/entitlements/active_entitlements', 'GET /v1/entitlements/active_entitlements'],
  ])('counts %s %s as %s', (method, path, endpoint) => {
    expect(endpointOf(method, path)).toBe(endpoint)
  })

  test('is asked before each call that the SDK makes, its retries and pages included', async () => {
    let requests = 0
    const stripe = new Stripe('sk_test_x', {
      maxNetworkRetries: 2,
      httpClient: Stripe.createFetchHttpClient(() => {
        requests++
        return Promise.resolve(
          requests < 3
            ? Response.json({ error: { type: 'api_error' } }, { status: 500 })
            : Response.json({ id: 'cus_1', object: 'customer' }),
        )
      }),
    })
    const budget = limitCalls(stripe, 1000)
    const taken: string[] = []
    const take = budget.take.bind(budget)
    budget.take = (endpoint) => {
      taken.push(endpoint)
      return take(endpoint)
    }
    await stripe.customers.retrieve('cus_1')
    expect(taken).toEqual(Array.from({ length: 3 }, () => 'GET /v1/customers/:id'))
    expect(limitCalls(stripe)).toBe(budget)
  })

  test.each([0, -1, Number.NaN])('is not %s calls a second', (perSecond) => {
    expect(() => limitCalls(new Stripe('sk_test_x'), perSecond)).toThrow('is not a number of Stripe calls')
  })
})

for (const backend of ['sqlite', 'postgres'] as const)
  describe(`a Stripe that asks to wait, on ${backend}`, () => {
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

    test('is left alone by every worker of the process until then, and nothing counts as an attempt', async () => {
      for (let customer = 0; customer < 6; customer++) {
        const { customer: id } = await shop.account()
        const body = eventBody(
          'customer.subscription.updated',
          { id: `sub_${customer}`, object: 'subscription', customer: id },
          { id: `evt_limit_${customer}`, created: shop.fake.store.now },
        )
        expect((await shop.deliver({ body })).status).toBe(200)
      }
      shop.fake.fail({ status: 429, times: 1000, retryAfterSeconds: 30 })
      let calls = 0
      const stripe = new Stripe('sk_test_shop', {
        maxNetworkRetries: 0,
        httpClient: Stripe.createFetchHttpClient((...request: Parameters<typeof fetch>) => {
          calls++
          return shop.fake.fetch(...request)
        }),
      })
      const worker = { stripe, concurrency: 1 }
      const first = await shop.work(worker)
      expect([first.limited, first.failed, calls]).toEqual([1, 0, 1])
      // Another worker asks nothing: it knows already.
      expect(await shop.work(worker)).toMatchObject({ limited: 0, failed: 0 })
      shop.fake.advance(29)
      await shop.work(worker)
      expect(calls).toBe(1)
      const rows = await shop.client.webhookEvent.findMany()
      expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual(rows.map(() => ['PENDING', 0]))
      // However often it is asked for, it never makes a dead letter.
      await shop.client.webhookEvent.updateMany({ data: { attempts: 99 } })
      for (let storm = 0; storm < 3; storm++) {
        shop.fake.advance(31)
        await shop.work(worker)
      }
      expect(await shop.client.webhookEvent.count({ where: { status: 'PENDING', attempts: 99 } })).toBe(6)
      shop.fake.recover()
      shop.fake.advance(31)
      expect(await shop.work(worker)).toMatchObject({ applied: 6 })
    })

    test('without a time gets one of its own, longer each time', async () => {
      const { customer } = await shop.account()
      const body = eventBody(
        'customer.subscription.updated',
        { id: 'sub_1', object: 'subscription', customer },
        { id: 'evt_limit', created: shop.fake.store.now },
      )
      await shop.deliver({ body })
      shop.fake.fail({ status: 429, times: 1000 })
      const pauses: number[] = []
      for (let storm = 0; storm < 5; storm++) {
        await shop.work()
        const { nextAttemptAt } = await shop.client.webhookEvent.findFirstOrThrow()
        pauses.push(nextAttemptAt.getTime() - shop.fake.store.now * 1000)
        shop.fake.advance(100)
      }
      expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
      expect(pauses.at(-1)).toBeGreaterThan(4 * (pauses[0] ?? 0))
    })
  })
