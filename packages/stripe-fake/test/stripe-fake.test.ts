import { Stripe } from 'stripe'
import { expect, test } from 'vitest'
import { day, hour, serveStripeFake, StripeFake } from '../src/index.ts'

function start(options: ConstructorParameters<typeof StripeFake>[0] = {}) {
  const fake = new StripeFake(options)
  const stripe = new Stripe('sk_test_any', {
    httpClient: Stripe.createFetchHttpClient(fake.fetch),
    maxNetworkRetries: 0,
  })
  const types = () => fake.deliveries.take().map(({ event }) => event.type)
  return { fake, stripe, types }
}

test('stripe-node drives a whole life, over time', async () => {
  const { fake, stripe, types } = start()
  const price = fake.addPrice({ name: 'Pro', amount: 1900 })
  const customer = await stripe.customers.create({ email: 'a@example.com' })
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    trial_period_days: 14,
  })
  expect(subscription.status).toBe('trialing')
  expect(types()).toEqual(['customer.created', 'customer.subscription.created', 'invoice.paid'])
  fake.advance(12 * day)
  expect(types()).toEqual(['customer.subscription.trial_will_end'])
  fake.advance(3 * day)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  fake.setCard(customer.id, 'fails')
  fake.advance(31 * day)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
  types()
  fake.advance(20 * day)
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  expect(types()).toEqual([
    'invoice.payment_failed',
    'invoice.payment_failed',
    'invoice.payment_failed',
    'invoice.voided',
    'customer.subscription.deleted',
  ])
})

test('an unpaid start expires after 23 hours, a scheduled cancel ends at the end of the period', async () => {
  const { fake, stripe } = start()
  const price = fake.addPrice({ name: 'Pro', amount: 1900 })
  const { id: customer } = await stripe.customers.create({})
  fake.setCard(customer, 'fails')
  const first = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })
  expect(first.status).toBe('incomplete')
  fake.advance(23 * hour)
  expect((await stripe.subscriptions.retrieve(first.id)).status).toBe('incomplete_expired')
  fake.setCard(customer, 'succeeds')
  const second = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })
  await stripe.subscriptions.update(second.id, { cancel_at_period_end: true })
  fake.advance(32 * day)
  expect((await stripe.subscriptions.retrieve(second.id)).status).toBe('canceled')
  const all = await stripe.subscriptions
    .list({ customer, status: 'all', limit: 1 })
    .autoPagingToArray({ limit: 100 })
  expect(all.map(({ id }) => id)).toEqual([second.id, first.id])
})

test('an idempotency key gives the first answer again, and refuses other parameters', async () => {
  const { stripe } = start()
  const first = await stripe.customers.create({ name: 'a' }, { idempotencyKey: 'k' })
  expect((await stripe.customers.create({ name: 'a' }, { idempotencyKey: 'k' })).id).toBe(first.id)
  await expect(stripe.customers.create({ name: 'b' }, { idempotencyKey: 'k' })).rejects.toMatchObject({
    type: 'StripeIdempotencyError',
  })
})

test('a month’s end comes back after a short month, and an item without an id is added', async () => {
  const { fake, stripe } = start({ now: Date.UTC(2026, 0, 31, 12) / 1000 })
  const price = fake.addPrice({ name: 'Pro', amount: 1900 })
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })
  const ends = async () => {
    const { items } = await stripe.subscriptions.retrieve(id)
    return items.data.map((item) => new Date(item.current_period_end * 1000).toISOString().slice(0, 10))
  }
  expect(await ends()).toEqual(['2026-02-28'])
  fake.advance(30 * day)
  expect(await ends()).toEqual(['2026-03-31'])
  await stripe.subscriptions.update(id, { items: [{ price: price.id, quantity: 2 }] })
  expect(await ends()).toHaveLength(2)
})

test('a failure is kept under its key for a day', async () => {
  const { fake, stripe } = start()
  fake.fail({ status: 500, times: 1 })
  const create = () => stripe.customers.create({}, { idempotencyKey: 'k' })
  await expect(create()).rejects.toMatchObject({ statusCode: 500 })
  await expect(create()).rejects.toMatchObject({ statusCode: 500 })
  fake.advance(day)
  expect((await create()).object).toBe('customer')
})

test('what it does not know, it says in Stripe’s shape', async () => {
  const { stripe, fake } = start()
  await expect(stripe.payouts.list()).rejects.toMatchObject({
    statusCode: 404,
    type: 'StripeInvalidRequestError',
  })
  await expect(stripe.customers.retrieve('cus_none')).rejects.toMatchObject({ code: 'resource_missing' })
  fake.fail({ status: 429, times: 1, retryAfterSeconds: 7 })
  await expect(stripe.customers.list()).rejects.toMatchObject({
    type: 'StripeRateLimitError',
    headers: { 'retry-after': '7' },
  })
  const answer = await fake.fetch('http://stripe.fake/v1/customers', {
    headers: { authorization: 'Bearer sk_test_x', 'stripe-version': '2020-08-27' },
  })
  expect(answer.status).toBe(400)
})

test('its deliveries carry a signature that the SDK accepts', async () => {
  const { stripe, fake } = start({ webhookSecret: 'whsec_x' })
  await stripe.customers.create({})
  const [delivery] = fake.deliveries.take()
  const request = fake.deliveries.request('http://app/hook', delivery ?? { body: '' })
  const event = stripe.webhooks.constructEvent(
    await request.text(),
    request.headers.get('stripe-signature') ?? '',
    'whsec_x',
  )
  expect(event.type).toBe('customer.created')
})

test('over HTTP a page can be declined, paid or left, and the clock moved', async () => {
  await using server = await serveStripeFake()
  const { fake, url } = server
  const { port } = new URL(url)
  const stripe = new Stripe('sk_test_any', { host: '127.0.0.1', port: Number(port), protocol: 'http' })
  const price = fake.addPrice({ name: 'Pro <b>', amount: 1900 })
  const { id: customer } = await stripe.customers.create({})
  const session = await stripe.checkout.sessions.create({
    customer,
    mode: 'subscription',
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: 'http://app/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://app/plans',
  })
  const page = String(session.url)
  expect(await (await fetch(page)).text()).toContain('Pro &lt;b&gt; × 1: 19.00 USD')
  const press = (outcome: string) =>
    fetch(page, { method: 'POST', body: new URLSearchParams({ outcome }), redirect: 'manual' })
  expect((await press('leave')).headers.get('location')).toBe('http://app/plans')
  expect((await press('decline')).headers.get('location')).toContain('declined')
  expect((await press('pay')).headers.get('location')).toBe(`http://app/done?session=${session.id}`)
  expect((await fetch(page)).status).toBe(410)
  expect((await stripe.checkout.sessions.retrieve(session.id)).payment_status).toBe('paid')
  const { url: portal } = await stripe.billingPortal.sessions.create({ customer, return_url: 'http://app/' })
  expect(await (await fetch(portal)).text()).toContain('Cancel at the end of the period')
  const clock = await fetch(`${url}/_clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds: 60 }) })
  expect(((await clock.json()) as { now: number }).now).toBe(fake.store.now)
})

test('a stand-in goes on from what an earlier one saved', async () => {
  const first = start()
  const price = first.fake.addPrice({ name: 'Pro', amount: 1900 })
  const customer = await first.stripe.customers.create({ email: 'a@example.com' })
  const items = [{ price: price.id }]
  const { id } = await first.stripe.subscriptions.create({ customer: customer.id, items })
  const second = start({ saved: first.fake.save() })
  expect((await second.stripe.subscriptions.retrieve(id)).status).toBe('active')
  expect(second.types()).toEqual(first.types()) // what had not been delivered
  const other = await second.stripe.customers.create({})
  expect(other.id).not.toBe(customer.id)
  second.fake.setCard(customer.id, 'fails')
  second.fake.advance(31 * day)
  expect((await second.stripe.subscriptions.retrieve(id)).status).toBe('past_due')
  expect((await first.stripe.subscriptions.retrieve(id)).status).toBe('active')
})

test('what an older stand-in saved gets the fields that have come since', async () => {
  const { fake, stripe } = start()
  const price = fake.addPrice({ name: 'Pro', amount: 1900 })
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })
  const [invoice] = fake.store.invoices.values()
  for (const object of [fake.store.customers.get(customer), fake.store.subscription(id).object, invoice]) {
    for (const name of ['discounts', 'schedule', 'invoice_prefix', 'lines', 'status_transitions', 'balance'])
      delete (object as unknown as Record<string, unknown>)[name]
  }
  const later = start({ saved: fake.save() })
  later.fake.advance(31 * day)
  const { data } = await later.stripe.invoices.list({ subscription: id })
  expect(data.map(({ amount_paid: paid, lines }) => [paid, lines.data.length])).toEqual([
    [1900, 1],
    [1900, 0],
  ])
})
