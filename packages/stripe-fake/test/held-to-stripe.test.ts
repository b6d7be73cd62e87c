import { Stripe } from 'stripe'
import { expect, test } from 'vitest'
import { day, StripeFake } from '../src/index.ts'
import { routesOf } from '../src/routes/routes.ts'
import { productReads } from './product-reads.ts'
import { start } from './start.ts'

type Json = Record<string, unknown>

/** Every object of the API in an answer, by its kind. */
function collect(answer: unknown, found: Map<string, Json[]>): void {
  if (typeof answer !== 'object' || answer === null) return
  const { object } = answer as Json
  if (typeof object === 'string') {
    found.set(object, [...(found.get(object) ?? []), answer as Json])
  }
  for (const inner of Object.values(answer)) collect(inner, found)
}

function has(object: Json, path: string): boolean {
  const [name = '', ...others] = path.split('.')
  if (!(name in object)) return false
  const value = object[name]
  if (others.length === 0 || value === null) return true
  if (Array.isArray(value)) return value.every((row) => has(row as Json, others.join('.')))
  return has(value as Json, others.join('.'))
}

/** What Stripe shows only while it is so. */
function isLeftOut({ status }: Json, field: string): boolean {
  return field.startsWith('status_details') && status !== 'paused'
}

/** Asks every route with stripe-node once. Returns what was answered, by the kind of object. */
async function askEverything() {
  const { fake, stripe, pro, team } = start()
  const found = new Map<string, Json[]>()
  const seen = async <Answer>(asked: PromiseLike<Answer>): Promise<Answer> => {
    const answer = await asked
    collect(JSON.parse(JSON.stringify(answer)), found)
    return answer
  }
  const product = await seen(stripe.products.create({ name: 'Extra' }))
  await seen(stripe.products.list())
  await seen(stripe.products.retrieve(product.id))
  const price = await seen(
    stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 5,
      recurring: { interval: 'month' },
    }),
  )
  await seen(stripe.prices.list({ active: true }))
  await seen(stripe.prices.update(price.id, { active: false }))
  await seen(stripe.prices.retrieve(price.id))
  const { id: coupon } = await seen(stripe.coupons.create({ percent_off: 10, duration: 'forever' }))
  await seen(stripe.coupons.list())
  await seen(stripe.coupons.retrieve(coupon))
  const code = await seen(stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon } }))
  await seen(stripe.promotionCodes.list({ coupon }))
  await seen(stripe.promotionCodes.retrieve(code.id))
  await seen(stripe.promotionCodes.update(code.id, { active: true }))
  const { id: customer } = await seen(stripe.customers.create({ email: 'a@example.com' }))
  await seen(stripe.customers.update(customer, { name: 'A' }))
  await seen(stripe.customers.list())
  await seen(stripe.customers.retrieve(customer))
  fake.store.features.set(fake.store.price(pro).product as string, ['api'])
  const { id, items } = await seen(
    stripe.subscriptions.create({
      customer,
      items: [{ price: pro }],
      discounts: [{ coupon }],
      expand: ['latest_invoice.payments', 'discounts', 'customer'],
    }),
  )
  await seen(stripe.subscriptions.list({ customer, status: 'all' }))
  await seen(
    stripe.subscriptions.retrieve(id, { expand: ['latest_invoice.payments.data.payment.payment_intent'] }),
  )
  await seen(stripe.entitlements.activeEntitlements.list({ customer }))
  await seen(stripe.subscriptionItems.list({ subscription: id }))
  const change = { items: [{ id: items.data[0]?.id ?? '', price: team }] }
  const preview = await seen(
    stripe.invoices.createPreview({ subscription: id, subscription_details: change }),
  )
  expect(preview.lines.data.length).toBeGreaterThan(1)
  await seen(stripe.subscriptions.update(id, change))
  const pending = await seen(stripe.invoiceItems.list({ pending: true }))
  await seen(stripe.invoiceItems.retrieve(pending.data[0]?.id ?? ''))
  const schedule = await seen(stripe.subscriptionSchedules.create({ from_subscription: id }))
  await seen(stripe.subscriptionSchedules.retrieve(schedule.id))
  await seen(stripe.subscriptionSchedules.list({ customer }))
  await seen(stripe.subscriptionSchedules.update(schedule.id, { metadata: { why: 'test' } }))
  await seen(stripe.subscriptionSchedules.release(schedule.id))
  await seen(stripe.subscriptions.pause(id))
  await seen(stripe.subscriptions.resume(id))
  const charges = await seen(stripe.charges.list({ customer }))
  const charge = await seen(stripe.charges.retrieve(charges.data[0]?.id ?? ''))
  await seen(stripe.paymentIntents.retrieve(charge.payment_intent as string))
  fake.setCard(customer, 'fails')
  fake.advance(31 * day)
  const { data: open } = await seen(stripe.invoices.list({ status: 'open' }))
  fake.setCard(customer, 'succeeds')
  const paid = await seen(stripe.invoices.pay(open[0]?.id ?? ''))
  await seen(stripe.invoices.retrieve(paid.id))
  await seen(stripe.invoices.listLineItems(paid.id))
  await seen(stripe.invoicePayments.list({ invoice: paid.id }))
  const refund = await seen(stripe.refunds.create({ charge: charge.id }))
  await seen(stripe.refunds.list({ charge: charge.id }))
  await seen(stripe.refunds.retrieve(refund.id))
  const dispute = fake.dispute(customer)
  await seen(stripe.disputes.retrieve(dispute?.id ?? ''))
  for (const end of ['void', 'uncollectible']) {
    fake.setCard(customer, 'fails')
    fake.advance(32 * day)
    const [owed] = (await stripe.invoices.list({ status: 'open' })).data
    const invoice = owed?.id ?? ''
    await seen(
      end === 'void' ? stripe.invoices.voidInvoice(invoice) : stripe.invoices.markUncollectible(invoice),
    )
    fake.setCard(customer, 'succeeds')
    const other = await stripe.subscriptions.create({ customer, items: [{ price: pro }] })
    if (end === 'uncollectible') {
      const next = await stripe.subscriptionSchedules.create({ from_subscription: other.id })
      await seen(stripe.subscriptionSchedules.cancel(next.id))
    }
  }
  const session = await seen(
    stripe.checkout.sessions.create({
      customer,
      mode: 'subscription',
      line_items: [{ price: team }],
      success_url: 'http://app/',
    }),
  )
  await seen(stripe.checkout.sessions.list({ customer }))
  await seen(stripe.checkout.sessions.retrieve(session.id, { expand: ['line_items'] }))
  await seen(stripe.checkout.sessions.listLineItems(session.id))
  await seen(stripe.checkout.sessions.expire(session.id))
  await seen(stripe.billingPortal.sessions.create({ customer, return_url: 'http://app/' }))
  const events = await seen(stripe.events.list())
  await seen(stripe.events.retrieve(events.data[0]?.id ?? ''))
  await seen(stripe.coupons.del(coupon))
  const last = await stripe.subscriptions.create({ customer, items: [{ price: pro }] })
  await seen(stripe.subscriptions.cancel(last.id, { prorate: true }))
  await seen(stripe.customers.del(customer))
  return { fake, found }
}

test('every route answers stripe-node, and every object has each field that the product reads', async () => {
  const { fake, found } = await askEverything()
  const routes = routesOf(new StripeFake()).routes.filter(({ path }) => path.startsWith('/v1/'))
  const asked = new Set(fake.faults.calls.keys())
  expect(routes.map(({ method, path }) => `${method} ${path}`).filter((route) => !asked.has(route))).toEqual(
    [],
  )
  const missing = Object.entries(productReads).flatMap(([kind, fields]) => {
    const objects = (found.get(kind) ?? []).filter((object) => object.deleted !== true)
    if (objects.length === 0) return [`no ${kind} was answered`]
    return fields
      .filter((field) => !objects.every((object) => has(object, field) || isLeftOut(object, field)))
      .map((field) => `${kind}.${field}`)
  })
  expect(missing).toEqual([])
})

test.each([
  ['/v1/customers', 'emial=a', 'Received unknown parameter: emial', 'parameter_unknown', 'emial'],
  ['/v1/customers', 'a=1&b=2', 'Received unknown parameters: a, b', 'parameter_unknown', 'a'],
  [
    '/v1/subscriptions',
    'items[0][price]=x',
    'Missing required param: customer.',
    'parameter_missing',
    'customer',
  ],
  ['/v1/subscriptions', 'customer=c', 'Missing required param: items.', 'parameter_missing', 'items'],
  [
    '/v1/subscriptions',
    'customer=c&items[0][prise]=x',
    'Received unknown parameter: items[0][prise]',
    'parameter_unknown',
    'items[0][prise]',
  ],
  [
    '/v1/subscriptions',
    'customer=c&items[0][price]=x&payment_behavior=hope',
    'Invalid payment_behavior: must be one of allow_incomplete, default_incomplete, error_if_incomplete, or pending_if_incomplete',
    undefined,
    'payment_behavior',
  ],
  [
    '/v1/subscriptions',
    'customer=c&items[0][price]=x&items[0][quantity]=many',
    'Invalid integer: many',
    'parameter_invalid_integer',
    'items[0][quantity]',
  ],
  ['/v1/subscriptions', 'customer=c&items=1', 'Invalid array: 1', undefined, 'items'],
  ['/v1/checkout/sessions', 'mode=payment', 'Invalid mode: must be subscription', undefined, 'mode'],
] as const)('%s refuses %s as Stripe does', async (path, body, message, code, param) => {
  const { fake } = start()
  const answer = await fake.fetch(`http://stripe.fake${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x', 'stripe-version': Stripe.API_VERSION },
    body: new URLSearchParams(body),
  })
  expect(answer.status).toBe(400)
  const { error } = (await answer.json()) as { error: Json }
  expect(error).toMatchObject({ type: 'invalid_request_error', message, param })
  expect(error.code).toBe(code)
})

test('what cannot be expanded, paged or found is refused', async () => {
  const { stripe, subscribe } = start()
  const { id } = await subscribe()
  await expect(stripe.subscriptions.retrieve(id, { expand: ['owner'] })).rejects.toMatchObject({
    message: 'This property cannot be expanded (owner).',
  })
  await expect(stripe.subscriptions.list({ starting_after: 'sub_none' })).rejects.toMatchObject({
    code: 'resource_missing',
    param: 'starting_after',
  })
  await expect(stripe.subscriptions.list({ limit: 101 })).rejects.toMatchObject({ param: 'limit' })
  await expect(stripe.subscriptions.retrieve('sub_none')).rejects.toMatchObject({
    statusCode: 404,
    code: 'resource_missing',
  })
  await expect(stripe.balance.retrieve()).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringContaining('Unrecognized request URL (GET: /v1/balance)') as string,
  })
})

test('a declined change is remembered under its key, a refused parameter is not', async () => {
  const { fake, stripe, team, subscribe } = start()
  const { id, item, customer } = await subscribe()
  fake.setCard(customer, 'fails')
  const change = {
    items: [{ id: item, price: team }],
    payment_behavior: 'error_if_incomplete' as const,
    proration_behavior: 'always_invoice' as const,
  }
  const upgrade = () => stripe.subscriptions.update(id, change, { idempotencyKey: 'upgrade' })
  await expect(upgrade()).rejects.toMatchObject({ code: 'card_declined' })
  fake.setCard(customer, 'succeeds')
  await expect(upgrade()).rejects.toMatchObject({ code: 'card_declined' })
  const create = (price: string) =>
    stripe.subscriptions.create({ customer, items: [{ price }] }, { idempotencyKey: 'create' })
  await expect(create('price_none')).rejects.toMatchObject({ code: 'resource_missing' })
  expect((await create(team)).status).toBe('active')
})
