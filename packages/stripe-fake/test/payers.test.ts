import { expect, test } from 'vitest'
import { day } from '../src/index.ts'
import { start } from './start.ts'

test('who pays by a link or in the dashboard is a customer that names no account', async () => {
  const { fake, stripe, pro, types } = start()
  const session = fake.payByLink({ email: 'link@example.com', price: pro, quantity: 2 })
  expect(types()).toEqual([
    'customer.created',
    'customer.subscription.created',
    'invoice.paid',
    'customer.subscription.updated',
    'checkout.session.completed',
  ])
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    client_reference_id: null,
    metadata: {},
    payment_link: expect.stringMatching(/^plink_/) as string,
    customer_details: { email: 'link@example.com' },
  })
  const made = fake.subscribeInDashboard({ email: 'desk@example.com', price: pro })
  expect(made).toMatchObject({ status: 'active', metadata: {} })
  const { data } = await stripe.customers.list({ email: 'desk@example.com' })
  expect(data.map(({ id, metadata }) => [id, metadata])).toEqual([[made.customer, {}]])
})

test('subscriptions are listed with their customers, by status, price and time', async () => {
  const { fake, stripe, pro, team, subscribe } = start()
  const first = await subscribe(pro)
  fake.advance(day)
  const second = await subscribe(team)
  const third = await subscribe(pro)
  await stripe.subscriptions.cancel(third.id)
  const idsOf = async (filter: Parameters<typeof stripe.subscriptions.list>[0]) =>
    (await stripe.subscriptions.list(filter)).data.map(({ id }) => id)
  expect(await idsOf({ status: 'active' })).toEqual([second.id, first.id])
  expect(await idsOf({ status: 'ended' })).toEqual([third.id])
  expect(await idsOf({ status: 'all', price: pro })).toEqual([third.id, first.id])
  expect(await idsOf({ created: { gt: first.start } })).toEqual([second.id])
  const { data } = await stripe.subscriptions.list({ expand: ['data.customer', 'data.latest_invoice'] })
  const shown = data.map(({ customer, latest_invoice: invoice }) => [
    typeof customer === 'object' && !customer.deleted ? customer.email : undefined,
    typeof invoice === 'object' ? invoice?.status : undefined,
  ])
  expect(shown).toEqual([
    ['a@example.com', 'paid'],
    ['a@example.com', 'paid'],
  ])
})

test('a page goes on after an object that has ceased to match, and a deleted customer is no more', async () => {
  const { stripe, subscribe } = start()
  const all = [await subscribe(), await subscribe(), await subscribe()]
  const [, second] = all
  const page = await stripe.subscriptions.list({ status: 'active', limit: 2 })
  expect(page.has_more).toBe(true)
  await stripe.subscriptions.cancel(second?.id ?? '')
  const rest = await stripe.subscriptions.list({ status: 'active', starting_after: second?.id ?? '' })
  expect(rest.data.map(({ id }) => id)).toEqual([all[0]?.id])
  await stripe.customers.del(all[0]?.customer ?? '')
  expect(await stripe.customers.retrieve(all[0]?.customer ?? '')).toMatchObject({ deleted: true })
  expect((await stripe.subscriptions.retrieve(all[0]?.id ?? '')).status).toBe('canceled')
  expect((await stripe.customers.list()).data.map(({ id }) => id)).not.toContain(all[0]?.customer)
  const { data } = await stripe.subscriptions.list({ status: 'all', expand: ['data.customer'] })
  expect(data.at(-1)?.customer).toMatchObject({ id: all[0]?.customer, deleted: true })
})

test('a charge is refunded in parts, up to its amount', async () => {
  const { stripe, subscribe, types } = start()
  const { customer } = await subscribe()
  const [charge] = (await stripe.charges.list({ customer })).data
  const id = charge?.id ?? ''
  await stripe.refunds.create({ charge: id, amount: 300, reason: 'requested_by_customer' })
  await expect(stripe.refunds.create({ charge: id, amount: 701 })).rejects.toMatchObject({ param: 'amount' })
  await stripe.refunds.create({ payment_intent: charge?.payment_intent as string })
  expect(await stripe.charges.retrieve(id)).toMatchObject({ amount_refunded: 1000, refunded: true })
  expect(types()).toEqual(['charge.refunded', 'charge.refunded'])
  await expect(stripe.refunds.create({ charge: id })).rejects.toMatchObject({
    code: 'charge_already_refunded',
  })
})

test('a cancel can credit what is left, and bill what waits', async () => {
  const { fake, stripe, subscribe } = start()
  const { id, customer, start: from, end } = await subscribe()
  fake.advance(15 * day)
  const left = Math.round((1000 * (end - fake.store.now)) / (end - from))
  await stripe.subscriptions.cancel(id, {
    prorate: true,
    invoice_now: true,
    cancellation_details: { feedback: 'unused', comment: 'Thanks' },
  })
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: -left })
  expect((await stripe.subscriptions.retrieve(id)).cancellation_details).toMatchObject({
    feedback: 'unused',
    comment: 'Thanks',
    reason: 'cancellation_requested',
  })
})
