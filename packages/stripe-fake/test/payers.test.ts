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
