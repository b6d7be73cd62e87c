import { expect, test } from 'vitest'
import { day } from '../src/index.ts'
import { start } from './start.ts'

test.each([
  ['once', { percent_off: 25 }, [750, 1000, 1000]],
  ['repeating', { percent_off: 50 }, [500, 500, 1000]],
  ['forever', { amount_off: 300, currency: 'usd' }, [700, 700, 700]],
] as const)('a coupon that lasts %s takes its part off each invoice', async (duration, off, paid) => {
  const { fake, stripe, pro } = start()
  const coupon = await stripe.coupons.create({
    duration,
    ...(duration === 'repeating' ? { duration_in_months: 2 } : {}),
    ...off,
  })
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price: pro }],
    discounts: [{ coupon: coupon.id }],
  })
  fake.advance(65 * day)
  const { data } = await stripe.invoices.list({ subscription: id })
  expect(data.map((invoice) => invoice.amount_paid).toReversed()).toEqual(paid)
  expect(data.at(-1)).toMatchObject({
    subtotal: 1000,
    total: paid[0],
    total_discount_amounts: [{ amount: 1000 - paid[0] }],
  })
  const { discounts } = await stripe.subscriptions.retrieve(id)
  expect(discounts).toHaveLength(duration === 'forever' ? 1 : 0)
})

test('amounts of several lines and discounts add up', async () => {
  const { fake, stripe, pro, team } = start()
  const odd = fake.addPrice({ name: 'Odd', amount: 333 }).id
  const third = await stripe.coupons.create({ percent_off: 33.3, duration: 'forever' })
  const more = await stripe.coupons.create({ amount_off: 777, currency: 'usd', duration: 'forever' })
  const { id: customer } = await stripe.customers.create({})
  const { latest_invoice: invoice } = await stripe.subscriptions.create({
    customer,
    items: [{ price: pro }, { price: team }, { price: odd, quantity: 7 }],
    discounts: [{ coupon: third.id }, { coupon: more.id }],
    expand: ['latest_invoice'],
  })
  if (invoice === null || typeof invoice === 'string') throw new Error('not expanded')
  const off = Math.round(6331 * 0.333)
  expect(invoice.total_discount_amounts?.map(({ amount }) => amount)).toEqual([off, 777])
  const ofLines = invoice.lines.data.flatMap(
    (line) => line.discount_amounts?.map(({ amount }) => amount) ?? [],
  )
  expect(ofLines.reduce((sum, amount) => sum + amount, 0)).toBe(off + 777)
  expect(invoice.total).toBe(6331 - off - 777)
})

test('a coupon or code that is used up, expired or another’s is refused', async () => {
  const { fake, stripe, pro } = start()
  const subscribe = async (discount: { coupon?: string; promotion_code?: string }) => {
    const { id: customer } = await stripe.customers.create({})
    return stripe.subscriptions.create({ customer, items: [{ price: pro }], discounts: [discount] })
  }
  const once = await stripe.coupons.create({ percent_off: 10, duration: 'once', max_redemptions: 1 })
  await subscribe({ coupon: once.id })
  expect(await stripe.coupons.retrieve(once.id)).toMatchObject({ times_redeemed: 1, valid: false })
  await expect(subscribe({ coupon: once.id })).rejects.toMatchObject({ code: 'coupon_expired' })
  const short = await stripe.coupons.create({ percent_off: 10, redeem_by: fake.store.now + day })
  const code = await stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: short.id },
    code: 'AUTUMN',
    expires_at: fake.store.now + day / 2,
  })
  expect((await stripe.promotionCodes.list({ code: 'autumn' })).data).toHaveLength(1)
  fake.advance(day / 2)
  await expect(subscribe({ promotion_code: code.id })).rejects.toMatchObject({ param: 'promotion_code' })
  fake.advance(day / 2)
  await expect(subscribe({ coupon: short.id })).rejects.toMatchObject({ code: 'coupon_expired' })
  const own = await stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: (await stripe.coupons.create({ percent_off: 5 })).id },
    customer: (await stripe.customers.create({})).id,
  })
  await expect(subscribe({ promotion_code: own.id })).rejects.toMatchObject({ statusCode: 400 })
})

test('a preview tries a coupon, and a change takes discounts away', async () => {
  const { stripe, subscribe } = start()
  const { id } = await subscribe()
  const { id: coupon } = await stripe.coupons.create({ percent_off: 40, duration: 'forever' })
  const preview = await stripe.invoices.createPreview({ subscription: id, discounts: [{ coupon }] })
  expect(preview.total).toBe(600)
  const given = await stripe.subscriptions.update(id, { discounts: [{ coupon }], expand: ['discounts'] })
  expect(given.discounts[0]).toMatchObject({ source: { coupon }, subscription: id })
  expect((await stripe.invoices.createPreview({ subscription: id })).total).toBe(600)
  expect((await stripe.subscriptions.update(id, { discounts: '' })).discounts).toEqual([])
})
