import { expect, test } from 'vitest'
import { day, serveStripeFake, StripeFake } from '../src/index.ts'
import { openPages } from './pages.ts'
import { start } from './start.ts'

test('a connected account has customers, prices and events of its own', async () => {
  const { fake, stripe, pro } = start()
  const connected = fake.connect('acct_1')
  const options = { stripeAccount: 'acct_1' }
  const price = connected.addPrice({ name: 'Theirs', amount: 500 })
  fake.deliveries.take()
  const own = await stripe.customers.create({ email: 'own@example.com' })
  const theirs = await stripe.customers.create({ email: 'theirs@example.com' }, options)
  expect(theirs.id).not.toBe(own.id)
  expect((await stripe.customers.list()).data.map(({ id }) => id)).toEqual([own.id])
  await expect(stripe.customers.retrieve(theirs.id)).rejects.toMatchObject({ code: 'resource_missing' })
  const subscription = await stripe.subscriptions.create(
    { customer: theirs.id, items: [{ price: price.id }] },
    options,
  )
  await expect(
    stripe.subscriptions.create({ customer: theirs.id, items: [{ price: pro }] }, options),
  ).rejects.toMatchObject({ code: 'resource_missing' })
  const accounts = fake.deliveries.take().map(({ event }) => [event.type, event.account])
  expect(accounts[0]).toEqual(['customer.created', undefined])
  expect(accounts.slice(1).every(([, account]) => account === 'acct_1')).toBe(true)
  const after = new StripeFake({ saved: fake.save() })
  expect(after.connect('acct_1').store.subscription(subscription.id).object.status).toBe('active')
  after.advance(31 * day)
  expect(after.deliveries.take().map(({ event }) => event.account)).toContain('acct_1')
})

test('an account that is not connected is refused', async () => {
  const { stripe } = start()
  await expect(stripe.customers.list({}, { stripeAccount: 'acct_none' })).rejects.toMatchObject({
    type: 'StripePermissionError',
    code: 'account_invalid',
  })
})

test('a connected account has pages of its own', async () => {
  await using server = await serveStripeFake()
  const { fake, stripe, press, read } = await openPages(server)
  const price = fake.connect('acct_1').addPrice({ name: 'Theirs', amount: 500 })
  const options = { stripeAccount: 'acct_1' }
  const session = await stripe.checkout.sessions.create(
    {
      mode: 'subscription',
      line_items: [{ price: price.id }],
      success_url: 'http://app/done',
      allow_promotion_codes: true,
    },
    options,
  )
  expect(session.url).toContain('/_accounts/acct_1/pay/')
  expect(await read(session.url ?? '')).toContain('Theirs × 1: 5.00 USD')
  const declined = await press(session.url ?? '', { outcome: 'decline' })
  expect(await read(declined)).toContain('Your card was declined')
  expect(await press(session.url ?? '', { outcome: 'pay' })).toBe('http://app/done')
  expect((await stripe.checkout.sessions.retrieve(session.id, {}, options)).status).toBe('complete')
})
