import { expect, test } from 'vitest'
import { day, hour } from '../src/index.ts'
import { start } from './start.ts'

/** An invoice as [amount, is it a proration] a line. */
const linesOf = (invoice: {
  lines: {
    data: { amount: number; parent: { subscription_item_details: { proration: boolean } | null } | null }[]
  }
}) => invoice.lines.data.map(({ amount, parent }) => [amount, parent?.subscription_item_details?.proration])

test('a change of price is prorated to the second and billed with the next period', async () => {
  const { fake, stripe, team, subscribe } = start()
  const { id, item, start: from, end } = await subscribe()
  fake.advance(10 * day + 1234)
  const left = (end - fake.store.now) / (end - from)
  await stripe.subscriptions.update(id, { items: [{ id: item, price: team }] })
  const pending = await stripe.invoiceItems.list({ pending: true })
  expect(pending.data.map(({ amount }) => amount)).toEqual([
    Math.round(3000 * left),
    -Math.round(1000 * left),
  ])
  fake.advance(end - fake.store.now)
  const [renewal] = (await stripe.invoices.list({ subscription: id })).data
  expect(renewal?.billing_reason).toBe('subscription_cycle')
  expect(linesOf(renewal as never)).toEqual([
    [-Math.round(1000 * left), true],
    [Math.round(3000 * left), true],
    [3000, false],
  ])
  expect(renewal?.amount_paid).toBe(3000 + Math.round(3000 * left) - Math.round(1000 * left))
})

test('a preview is what the change then bills, with the same proration date', async () => {
  const { fake, stripe, team, subscribe } = start()
  const { id, item } = await subscribe(undefined, 2)
  fake.advance(12 * day)
  const change = {
    items: [{ id: item, price: team, quantity: 5 }],
    proration_behavior: 'always_invoice' as const,
    proration_date: fake.store.now,
  }
  const preview = await stripe.invoices.createPreview({ subscription: id, subscription_details: change })
  expect(preview).toMatchObject({ status: 'draft', billing_reason: 'upcoming', number: null })
  expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(1)
  fake.advance(hour)
  await stripe.subscriptions.update(id, change)
  const [made] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(made).toMatchObject({ total: preview.total, amount_paid: preview.amount_due, status: 'paid' })
  expect(linesOf(made as never)).toEqual(linesOf(preview))
})

test('a preview without a change is the next renewal, and there is none before a cancel', async () => {
  const { stripe, subscribe } = start()
  const { id, end } = await subscribe(undefined, 3)
  const preview = await stripe.invoices.createPreview({ subscription: id })
  expect(preview).toMatchObject({ total: 3000, period_end: end })
  expect(linesOf(preview)).toEqual([[3000, false]])
  await stripe.subscriptions.update(id, { cancel_at_period_end: true })
  await expect(stripe.invoices.createPreview({ subscription: id })).rejects.toMatchObject({
    code: 'invoice_upcoming_none',
    statusCode: 404,
  })
})

test('a downgrade at once leaves credit, which the next invoices use up', async () => {
  const { fake, stripe, pro, team, subscribe } = start()
  const { id, item, customer, end } = await subscribe(team)
  await stripe.subscriptions.update(id, {
    items: [{ id: item, price: pro }],
    proration_behavior: 'always_invoice',
  })
  const [credit] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(credit).toMatchObject({ total: -2000, amount_due: 0, status: 'paid', ending_balance: -2000 })
  fake.advance(end - fake.store.now)
  const [renewal] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(renewal).toMatchObject({
    total: 1000,
    amount_due: 0,
    starting_balance: -2000,
    ending_balance: -1000,
  })
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -1000 })
})

test('without prorations only the next period differs', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, item, end } = await subscribe()
  fake.advance(day)
  await stripe.subscriptions.update(id, { items: [{ id: item, quantity: 4 }], proration_behavior: 'none' })
  fake.advance(end - fake.store.now)
  const [renewal] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(linesOf(renewal as never)).toEqual([[4000, false]])
})

test('another interval begins a new cycle at once', async () => {
  const { fake, stripe, subscribe } = start()
  const yearly = fake.addPrice({ name: 'Pro yearly', amount: 10_000, interval: 'year' }).id
  const { id, item, start: from, end } = await subscribe()
  fake.advance(6 * day)
  const left = (end - fake.store.now) / (end - from)
  const { items, billing_cycle_anchor: anchor } = await stripe.subscriptions.update(id, {
    items: [{ id: item, price: yearly }],
  })
  expect(anchor).toBe(fake.store.now)
  expect(items.data[0]?.current_period_start).toBe(fake.store.now)
  const [invoice] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(linesOf(invoice as never)).toEqual([
    [-Math.round(1000 * left), true],
    [10_000, false],
  ])
})

test('items come and go, and the last one cannot', async () => {
  const { stripe, team, subscribe } = start()
  const { id, item } = await subscribe()
  const two = await stripe.subscriptions.update(id, { items: [{ price: team, quantity: 2 }] })
  expect(two.items.data.map(({ price, quantity }) => [price.id, quantity])).toHaveLength(2)
  const one = await stripe.subscriptions.update(id, { items: [{ id: item, deleted: true }] })
  expect(one.items.data.map(({ price, quantity }) => [price.id, quantity])).toEqual([[team, 2]])
  await expect(
    stripe.subscriptions.update(id, { items: [{ id: one.items.data[0]?.id ?? '', deleted: true }] }),
  ).rejects.toMatchObject({ statusCode: 400 })
})

test.each([
  ['allow_incomplete', undefined, 'past_due', 3000, 2],
  ['default_incomplete', undefined, 'past_due', 3000, 2],
  ['pending_if_incomplete', undefined, 'active', 1000, 2],
  ['error_if_incomplete', 'card_declined', 'active', 1000, 1],
] as const)('with %s an upgrade that cannot be paid ends in %s and %s', async (...row) => {
  const [behavior, error, status, amount, invoices] = row
  const { fake, stripe, team, subscribe } = start()
  const { id, item, customer } = await subscribe()
  fake.setCard(customer, 'fails')
  const code = await stripe.subscriptions
    .update(id, {
      items: [{ id: item, price: team }],
      proration_behavior: 'always_invoice',
      payment_behavior: behavior,
    })
    .then(
      () => undefined,
      (thrown: { code?: string }) => thrown.code,
    )
  expect(code).toBe(error)
  const after = await stripe.subscriptions.retrieve(id)
  expect([after.status, after.items.data[0]?.price.unit_amount]).toEqual([status, amount])
  expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(invoices)
})

test('a pending update is applied when its invoice is paid, and forgotten after 23 hours', async () => {
  const { fake, stripe, team, subscribe, types } = start()
  const { id, item, customer } = await subscribe()
  const upgrade = () =>
    stripe.subscriptions.update(id, {
      items: [{ id: item, price: team }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
      metadata: { upgraded: 'yes' },
    })
  fake.setCard(customer, 'fails')
  const { pending_update: pending, latest_invoice: invoice, metadata } = await upgrade()
  expect([metadata, pending?.metadata]).toEqual([{}, { upgraded: 'yes' }])
  expect(pending?.subscription_items?.[0]?.price.id).toBe(team)
  fake.setCard(customer, 'succeeds')
  types()
  await stripe.invoices.pay(invoice as string)
  expect(types()).toEqual([
    'invoice.paid',
    'customer.subscription.pending_update_applied',
    'customer.subscription.updated',
  ])
  const applied = await stripe.subscriptions.retrieve(id)
  expect([applied.items.data[0]?.price.id, applied.pending_update]).toEqual([team, null])
  expect(applied.metadata).toEqual({ upgraded: 'yes' })

  fake.setCard(customer, 'fails')
  const again = await stripe.subscriptions.update(id, {
    items: [{ id: item, quantity: 9 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  })
  fake.advance(23 * hour)
  expect((await stripe.subscriptions.retrieve(id)).pending_update).toBeNull()
  expect((await stripe.invoices.retrieve(again.latest_invoice as string)).status).toBe('void')
})

test('a proration date outside of the period is refused', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, item } = await subscribe()
  await expect(
    stripe.subscriptions.update(id, {
      items: [{ id: item, quantity: 2 }],
      proration_date: fake.store.now - day,
    }),
  ).rejects.toMatchObject({ param: 'proration_date' })
})

test('collection is paused with what becomes of invoices, and goes on by itself', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, end } = await subscribe()
  await stripe.subscriptions.update(id, {
    pause_collection: { behavior: 'mark_uncollectible', resumes_at: end + day },
  })
  fake.advance(end - fake.store.now)
  const [skipped] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(skipped).toMatchObject({ status: 'uncollectible', total: 1000 })
  fake.advance(day)
  expect((await stripe.subscriptions.retrieve(id)).pause_collection).toBeNull()
  await stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } })
  expect((await stripe.subscriptions.update(id, { pause_collection: '' })).pause_collection).toBeNull()
})

test('a pause credits what is left, and the invoice of the resumption takes it off', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, start: from, end } = await subscribe()
  fake.advance(10 * day)
  const left = (end - fake.store.now) / (end - from)
  const paused = await stripe.subscriptions.pause(id)
  expect(paused).toMatchObject({
    status: 'paused',
    status_details: { paused: { subscription: { type: 'pause_requested' } } },
  })
  fake.advance(40 * day)
  const resumed = await stripe.subscriptions.resume(id)
  expect(resumed.status).toBe('active')
  expect(resumed.items.data[0]?.current_period_start).toBe(fake.store.now)
  const [invoice] = (await stripe.invoices.list({ subscription: id, limit: 1 })).data
  expect(invoice?.amount_paid).toBe(1000 - Math.round(1000 * left))
})

test('a pause without credit resumes with the old anchor', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, end } = await subscribe()
  await stripe.subscriptions.pause(id, { bill_for: { unused_time_from: { type: 'none' } } })
  fake.advance(3 * day)
  const resumed = await stripe.subscriptions.resume(id, {
    billing_cycle_anchor: { type: 'unchanged' },
    proration_behavior: 'none',
  })
  expect(resumed.items.data[0]?.current_period_end).toBe(end)
  expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(1)
})

test('a resumption that waits for its payment stays paused until it is paid', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, customer } = await subscribe()
  fake.advance(20 * day)
  await stripe.subscriptions.pause(id)
  fake.setCard(customer, 'fails')
  fake.advance(50 * day)
  const waits = await stripe.subscriptions.resume(id, { payment_behavior: 'resume_on_payment_success' })
  expect(waits.status).toBe('paused')
  fake.setCard(customer, 'succeeds')
  await stripe.invoices.pay(waits.latest_invoice as string)
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
})

test('a trial that is added to what is paid gives credit and moves the cycle', async () => {
  const { fake, stripe, subscribe } = start()
  const { id } = await subscribe()
  const until = fake.store.now + 5 * day
  const trial = await stripe.subscriptions.update(id, { trial_end: until })
  expect(trial).toMatchObject({ status: 'trialing', trial_end: until, billing_cycle_anchor: until })
  expect((await stripe.invoiceItems.list({ pending: true })).data[0]?.amount).toBe(-1000)
  const active = await stripe.subscriptions.update(id, { trial_end: 'now' })
  expect(active.status).toBe('active')
})

test('a cycle can be made to begin now', async () => {
  const { fake, stripe, subscribe } = start()
  const { id } = await subscribe()
  fake.advance(10 * day)
  const { items } = await stripe.subscriptions.update(id, { billing_cycle_anchor: { type: 'now' } })
  expect(items.data[0]?.current_period_start).toBe(fake.store.now)
  expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(2)
})

test('a change that waits for its payment is given up for the next', async () => {
  const { fake, stripe, team, subscribe } = start()
  const { id, item, customer } = await subscribe()
  const change = (quantity: number) =>
    stripe.subscriptions.update(id, {
      items: [{ id: item, price: team, quantity }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })
  fake.setCard(customer, 'fails')
  const first = await change(2)
  fake.setCard(customer, 'succeeds')
  const second = await change(3)
  expect([second.pending_update, second.items.data[0]?.quantity]).toEqual([null, 3])
  expect((await stripe.invoices.retrieve(first.latest_invoice as string)).status).toBe('void')
})

test('a change that waits does not outlive the period that it was counted in', async () => {
  const { fake, stripe, team, subscribe } = start()
  const { id, item, customer, end } = await subscribe()
  fake.advance(end - fake.store.now - hour)
  fake.setCard(customer, 'fails')
  const { pending_update: pending } = await stripe.subscriptions.update(id, {
    items: [{ id: item, price: team, quantity: 1000 }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
  })
  expect(pending?.expires_at).toBe(end)
  fake.setCard(customer, 'succeeds')
  fake.advance(hour)
  const after = await stripe.subscriptions.retrieve(id)
  expect([after.pending_update, after.items.data[0]?.quantity]).toEqual([null, 1])
  expect(after.items.data[0]?.current_period_start).toBe(end)
})
