import { Stripe } from 'stripe'
import { expect, test } from 'vitest'
import { start } from './start.ts'

/** How many of the same requests at once are answered, and why the others are not. */
async function burst(count: number, ask: () => Promise<unknown>) {
  const answers = await Promise.allSettled(Array.from({ length: count }, ask))
  const refused = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as Stripe.errors.StripeError] : [],
  )
  return { answered: count - refused.length, refused }
}

test('an endpoint and the whole account answer only so many requests a second', async () => {
  let nowMs = 0
  const { fake, stripe, subscribe } = start()
  const { customer } = await subscribe()
  fake.limit({ perSecond: 8, perEndpointPerSecond: 5, nowMs: () => nowMs })
  const retrieve = await burst(7, () => stripe.customers.retrieve(customer))
  expect(retrieve.answered).toBe(5)
  expect(retrieve.refused[0]).toMatchObject({
    type: 'StripeRateLimitError',
    code: 'rate_limit',
    headers: { 'stripe-rate-limited-reason': 'endpoint-rate' },
  })
  const list = await burst(5, () => stripe.customers.list())
  expect(list.answered).toBe(1) // of eight, seven had been asked for
  expect(list.refused[0]?.headers?.['stripe-rate-limited-reason']).toBe('global-rate')
  nowMs += 1000
  expect((await burst(5, () => stripe.customers.list())).answered).toBe(5)
  fake.limit(undefined)
  expect((await burst(50, () => stripe.customers.list())).answered).toBe(50)
  expect(fake.faults.calls.get('GET /v1/customers/:id')).toEqual({ answered: 5, limited: 2 })
})

test('a storm refuses everything until it is over, and tells when to come back', async () => {
  const { fake, stripe } = start()
  fake.storm({ retryAfterSeconds: 3 })
  const { answered, refused } = await burst(20, () => stripe.customers.create({}, { idempotencyKey: 'same' }))
  expect(answered).toBe(0)
  expect(refused[0]?.headers?.['retry-after']).toBe('3')
  expect(fake.store.customers.size).toBe(0)
  fake.storm(undefined)
  expect((await stripe.customers.create({}, { idempotencyKey: 'same' })).object).toBe('customer')
})

test('a storm can hit a part of the requests', async () => {
  const { fake, stripe } = start()
  let at = 0
  fake.storm({ share: 0.5, chance: () => (at++ % 2 === 0 ? 0.2 : 0.8) })
  expect((await burst(10, () => stripe.customers.list())).answered).toBe(5)
  fake.recover()
  expect((await burst(10, () => stripe.customers.list())).answered).toBe(10)
})
