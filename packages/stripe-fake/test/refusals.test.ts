import type { Stripe } from 'stripe'
import { expect, test } from 'vitest'
import { day } from '../src/index.ts'
import { start } from './start.ts'

test('a change that is refused has changed nothing and told nothing', async () => {
  const { fake, stripe, team, subscribe, types } = start()
  const { id, item } = await subscribe()
  const before = await stripe.subscriptions.retrieve(id)
  const items = [{ id: item, price: team, quantity: 9 }]
  for (const wrong of [
    { trial_end: fake.store.now - 1 },
    { cancel_at: fake.store.now },
    { discounts: [{ coupon: 'none' }] },
    { proration_date: fake.store.now - 2 * day },
  ]) {
    await expect(
      stripe.subscriptions.update(id, { items, metadata: { changed: 'yes' }, ...wrong }),
    ).rejects.toMatchObject({ type: 'StripeInvalidRequestError' })
  }
  expect(await stripe.subscriptions.retrieve(id)).toEqual(before)
  expect((await stripe.invoiceItems.list()).data).toEqual([])
  expect(types()).toEqual([])
})

test('a subscription that is refused does not exist', async () => {
  const { fake, stripe, pro, types } = start()
  const { id: customer } = await stripe.customers.create({})
  types()
  const items = [{ price: pro }]
  for (const wrong of [
    { discounts: [{ coupon: 'none' }] },
    { trial_end: fake.store.now - 1 },
    { billing_cycle_anchor: fake.store.now - day },
    { trial_period_days: 0 },
    { items: [{ price: pro, quantity: -1 }] },
    { items: [] },
  ]) {
    await expect(stripe.subscriptions.create({ customer, items, ...wrong })).rejects.toMatchObject({
      statusCode: 400,
    })
  }
  expect(fake.store.subscriptions.size).toBe(0)
  expect(types()).toEqual([])
})

test('a price without a length is refused, so that time can go on', async () => {
  const { stripe, pro, fake } = start()
  const product = fake.store.price(pro).product as string
  await expect(
    stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount: 1,
      recurring: { interval: 'day', interval_count: 0 },
    }),
  ).rejects.toMatchObject({ param: 'recurring[interval_count]' })
})

test('a week’s price that is not paid is billed each week until the attempts are over', async () => {
  const { fake, stripe } = start()
  const weekly = fake.addPrice({ name: 'Weekly', amount: 700, interval: 'week' }).id
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: weekly }] })
  fake.setCard(customer, 'fails')
  fake.advance(15 * day)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due')
  expect((await stripe.invoices.list({ status: 'open' })).data).toHaveLength(2)
  fake.advance(8 * day)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled')
  expect((await stripe.invoices.list({ status: 'void' })).data).toHaveLength(3)
})

test('names of the language are no fields', async () => {
  const { stripe, subscribe } = start()
  const { id } = await subscribe()
  for (const name of ['id', 'status', 'constructor', '__proto__', 'toString', 'items.data.constructor']) {
    await expect(stripe.subscriptions.retrieve(id, { expand: [name] })).rejects.toMatchObject({
      param: 'expand',
    })
  }
  const { metadata } = await stripe.subscriptions.update(id, { metadata: { constructor: 'x', a: '<b>' } })
  expect(metadata).toMatchObject({ a: '<b>' })
})

test('an unknown id is a 404 in the address and a 400 with its name in the parameters', async () => {
  const { stripe } = start()
  await expect(stripe.customers.retrieve('cus_none')).rejects.toMatchObject({ statusCode: 404, param: 'id' })
  const missing = { statusCode: 400, code: 'resource_missing' }
  await expect(stripe.subscriptions.list({ customer: 'cus_none' })).rejects.toMatchObject({
    ...missing,
    param: 'customer',
  })
  const { id: customer } = await stripe.customers.create({})
  await expect(
    stripe.subscriptions.create({ customer, items: [{ price: 'price_none' }] }),
  ).rejects.toMatchObject({ ...missing, param: 'items[0][price]' })
})

test('a change that waits for its payment can have prices and quantities, and little else', async () => {
  const { stripe, team, subscribe } = start()
  const { id, item } = await subscribe()
  const items = [{ id: item, price: team }]
  for (const [wrong, param] of [
    [{ cancel_at: 'max_period_end' }, 'cancel_at'],
    [{ description: 'x' }, 'description'],
    [{ pause_collection: { behavior: 'void' } }, 'pause_collection'],
    [{ trial_settings: { end_behavior: { missing_payment_method: 'pause' } } }, 'trial_settings'],
    [{ items: [{ id: item, price: team, metadata: { a: 'b' } }] }, 'items[metadata]'],
    [{ items: [{ id: item, deleted: true }, { price: team }] }, 'items[deleted]'],
  ] as const)
    await expect(
      stripe.subscriptions.update(id, {
        items,
        payment_behavior: 'pending_if_incomplete',
        ...(wrong as Partial<Stripe.SubscriptionUpdateParams>),
      }),
    ).rejects.toMatchObject({ statusCode: 400, param })
})

test('a subscription that a schedule manages is not paused', async () => {
  const { stripe, subscribe } = start()
  const { id } = await subscribe()
  await stripe.subscriptionSchedules.create({ from_subscription: id })
  await expect(stripe.subscriptions.pause(id)).rejects.toMatchObject({ statusCode: 400 })
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
})

test('a trial is not paused, and a pause ends the period', async () => {
  const { fake, stripe, pro, subscribe } = start()
  const { id, customer } = await subscribe()
  const trial = await stripe.subscriptions.create({
    customer,
    items: [{ price: pro }],
    trial_period_days: 7,
  })
  await expect(stripe.subscriptions.pause(trial.id)).rejects.toMatchObject({ statusCode: 400 })
  fake.advance(day)
  const { items } = await stripe.subscriptions.pause(id)
  expect(items.data[0]?.current_period_end).toBe(fake.store.now)
  await expect(stripe.subscriptionSchedules.create({ from_subscription: id })).rejects.toMatchObject({
    statusCode: 400,
  })
  // What waits for its payment needs something to pay with.
  fake.setCard(customer, 'none')
  await expect(
    stripe.subscriptions.resume(id, { payment_behavior: 'resume_on_payment_success' }),
  ).rejects.toMatchObject({ statusCode: 400 })
  expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(1)
})

test('nothing new is sold at a price that is not active, or in another currency', async () => {
  const { fake, stripe, pro, team, subscribe } = start()
  const { id, item, customer } = await subscribe()
  const euro = fake.addPrice({ name: 'Euro', amount: 3000, currency: 'eur' }).id
  await stripe.prices.update(team, { active: false })
  for (const price of [team, euro])
    await expect(stripe.subscriptions.update(id, { items: [{ id: item, price }] })).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
    })
  await expect(stripe.subscriptions.create({ customer, items: [{ price: team }] })).rejects.toMatchObject({
    statusCode: 400,
  })
  // Who pays it goes on, and has more of it.
  await stripe.prices.update(pro, { active: false })
  const more = await stripe.subscriptions.update(id, { items: [{ id: item, quantity: 2 }] })
  expect(more.items.data[0]).toMatchObject({ quantity: 2, price: { id: pro } })
})

test('Checkout asks a customer that is there for a tax id only if the name may be kept', async () => {
  const { stripe, pro, subscribe } = start()
  const { customer } = await subscribe()
  const open = (more: Partial<Stripe.Checkout.SessionCreateParams>) =>
    stripe.checkout.sessions.create({
      mode: 'subscription',
      customer,
      line_items: [{ price: pro, quantity: 1 }],
      success_url: 'http://a/s',
      tax_id_collection: { enabled: true },
      ...more,
    })
  await expect(open({})).rejects.toMatchObject({ statusCode: 400 })
  expect((await open({ customer_update: { name: 'auto' } })).status).toBe('open')
})
