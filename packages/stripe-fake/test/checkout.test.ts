import { expect, test } from 'vitest'
import { day, hour, serveStripeFake } from '../src/index.ts'
import { openPages } from './pages.ts'

test('a promotion code is typed into Checkout, and a wrong one is not taken', async () => {
  await using server = await serveStripeFake()
  const { stripe, checkout, press, read } = await openPages(server)
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: 'once' })
  const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'HALF' })
  const { id, url } = await checkout({ allow_promotion_codes: true })
  expect(await press(url, { outcome: 'code', code: 'NONE' })).toContain('unknown-code')
  expect(await press(url, { outcome: 'code', code: 'half' })).not.toContain('unknown-code')
  expect(await read(url)).toContain('Total: 9.50 USD')
  await press(url, { outcome: 'pay' })
  const session = await stripe.checkout.sessions.retrieve(id, { expand: ['invoice'] })
  expect(session).toMatchObject({
    amount_subtotal: 1900,
    amount_total: 950,
    total_details: { amount_discount: 950 },
    discounts: [{ promotion_code: code.id }],
    invoice: { amount_paid: 950 },
  })
  expect((await stripe.promotionCodes.retrieve(code.id)).times_redeemed).toBe(1)
})

test('codes are not taken where the session does not allow them', async () => {
  await using server = await serveStripeFake()
  const { stripe, checkout, press, read } = await openPages(server)
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50 })
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'HALF' })
  const { url } = await checkout()
  expect(await read(url)).not.toContain('Promotion code')
  expect(await press(url, { outcome: 'code', code: 'HALF' })).toContain('unknown-code')
  await expect(checkout({ allow_promotion_codes: true, discounts: [{ coupon }] })).rejects.toMatchObject({
    code: 'parameters_exclusive',
  })
})

test('sessions are found by customer, status and subscription, and expire', async () => {
  await using server = await serveStripeFake()
  const { fake, stripe, customer, checkout, press } = await openPages(server)
  const first = await checkout({ expires_at: fake.store.now + hour, metadata: { plan: 'pro' } })
  const second = await checkout()
  const third = await checkout({ locale: 'de', client_reference_id: 'account-1' })
  await stripe.checkout.sessions.expire(second.id)
  const expired = fake.deliveries.take().find(({ event }) => event.type === 'checkout.session.expired')
  expect(expired?.event.data.object).not.toHaveProperty('line_items')
  await press(third.url, { outcome: 'pay' })
  const idsOf = async (filter: Parameters<typeof stripe.checkout.sessions.list>[0]) =>
    (await stripe.checkout.sessions.list(filter)).data.map(({ id }) => id)
  expect(await idsOf({ customer, status: 'open' })).toEqual([first.id])
  expect(await idsOf({ status: 'expired' })).toEqual([second.id])
  const {
    subscription,
    locale,
    client_reference_id: reference,
  } = await stripe.checkout.sessions.retrieve(third.id)
  expect([locale, reference]).toEqual(['de', 'account-1'])
  expect(await idsOf({ subscription: subscription as string })).toEqual([third.id])
  fake.advance(hour)
  expect(await idsOf({ status: 'open' })).toEqual([])
  expect(await stripe.checkout.sessions.retrieve(first.id)).toMatchObject({
    status: 'expired',
    url: null,
    metadata: { plan: 'pro' },
  })
})

test('the clock moves from its page, and other sites press none of its buttons', async () => {
  await using server = await serveStripeFake()
  const { fake, checkout, press, read } = await openPages(server)
  await press((await checkout({ subscription_data: { trial_period_days: 7 } })).url, { outcome: 'pay' })
  const began = fake.store.now
  const clock = `${server.url}/clock`
  expect(await read(clock)).toContain('To the end of a trial')
  await press(clock, { to: 'day' })
  expect(fake.store.now).toBe(began + day)
  await press(clock, { to: 'trial-end' })
  expect(fake.store.now).toBe(began + 7 * day)
  await press(clock, { to: 'renewal' })
  expect(fake.store.now).toBeGreaterThan(began + 34 * day)
  expect(await press(clock, { to: 'yesterday' })).toBe('status 400')
  const foreign = await fetch(clock, {
    method: 'POST',
    body: 'to=day',
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  expect(foreign.status).toBe(403)
})
