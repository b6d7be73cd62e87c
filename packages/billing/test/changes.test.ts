import { backends, isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  cancel,
  changePlan,
  checkPlans,
  createPortal,
  definePlans,
  hasFeature,
  limitOf,
  reconcile,
  syncPlans,
  pause,
  resume,
  SubscriptionStatus,
} from '../src/index.ts'
import { isExpectedTransition } from '../src/state/transitions.ts'
import { openShop, plans, statusOf, type Shop } from './shop.ts'

for (const backend of backends)
  describe.skipIf(!isThere(backend))(`changes on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscriber = async () => {
      const account = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({
        customer: account.customer,
        items: [{ price: 'price_pro' }],
      })
      await shop.settle()
      return { ...account, id }
    }
    const at = () => new Date(shop.fake.store.now * 1000)

    test('cancel, resume, pause and another plan reach Stripe and are seen at once', async () => {
      const { accountId, id } = await subscriber()
      const found = () => shop.client.subscription.findUniqueOrThrow({ where: { stripeSubscriptionId: id } })
      await cancel(shop.billing, accountId)
      expect((await found()).cancelAtPeriodEnd).toBe(true)
      await resume(shop.billing, accountId)
      expect((await found()).cancelAtPeriodEnd).toBe(false)
      await changePlan(shop.billing, accountId, { planId: 'team' })
      expect(await limitOf(shop.store, accountId, 'seats', at())).toBe(10n)
      await pause(shop.billing, accountId)
      expect([
        await statusOf(shop.database, id),
        await hasFeature(shop.store, accountId, 'api', at()),
      ]).toEqual(['paused', false])
      await resume(shop.billing, accountId)
      await cancel(shop.billing, accountId, 'now')
      expect([
        await statusOf(shop.database, id),
        await limitOf(shop.store, accountId, 'seats', at()),
      ]).toEqual(['canceled', 0n])
      await expect(cancel(shop.billing, accountId)).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
      })
    })

    test('a database that was restored from a backup makes its changes, although Stripe has seen their numbers', async () => {
      const { accountId, customerId, id } = await subscriber()
      const { syncSeq, appliedSeq } = await shop.client.billingCustomer.findUniqueOrThrow({
        where: { id: customerId },
      })
      await cancel(shop.billing, accountId)
      await resume(shop.billing, accountId)
      shop.fake.advance(60)
      await shop.client.billingCustomer.update({
        where: { id: customerId },
        data: { syncSeq, appliedSeq },
      })
      await cancel(shop.billing, accountId)
      expect((await shop.stripe.subscriptions.retrieve(id)).cancel_at_period_end).toBe(true)
    })

    test('of two changes at once one is made and one is refused', async () => {
      const { accountId, id } = await subscriber()
      const results = await shop.atOnce((held) => [
        cancel(held, accountId, 'now'),
        changePlan(held, accountId, { planId: 'team' }),
      ])
      const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
      expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual([
        'OUTGROW_BILLING_CHANGE_PENDING',
      ])
      const { object } = shop.fake.store.subscription(id)
      expect(await statusOf(shop.database, id)).toBe(object.status)
      expect(await shop.client.billingCustomer.findUnique({ where: { accountId } })).toMatchObject({
        change: null,
      })
    })

    test('a change that Stripe refuses leaves nothing pending', async () => {
      const { accountId } = await subscriber()
      shop.fake.fail({ status: 500, times: 1 })
      await expect(cancel(shop.billing, accountId)).rejects.toMatchObject({ type: 'StripeAPIError' })
      await cancel(shop.billing, accountId)
    })

    test('a failed payment leaves a time of grace, then access ends, and comes back with the money', async () => {
      const { accountId, customer, id } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(31 * 86_400)
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('past_due')
      expect(await hasFeature(shop.store, accountId, 'api', at())).toBe(true)
      const later = new Date(at().getTime() + 8 * 86_400_000)
      expect(await hasFeature(shop.store, accountId, 'api', later)).toBe(false)
      shop.fake.setCard(customer, 'succeeds')
      shop.fake.advance(5 * 86_400)
      await shop.settle()
      expect([
        await statusOf(shop.database, id),
        await hasFeature(shop.store, accountId, 'api', later),
      ]).toEqual(['active', true])
      expect((await createPortal(shop.billing, accountId, 'http://a/')).url).toContain('/portal/')
    })

    test('a customer that was deleted at Stripe has no portal, and is told so', async () => {
      const { accountId, customer } = await subscriber()
      await shop.stripe.customers.del(customer)
      await expect(createPortal(shop.billing, accountId, 'http://a/')).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_NO_CUSTOMER',
      })
    })

    test('plans are held against Stripe’s prices', async () => {
      await checkPlans(shop.stripe, plans)
      const wrong = definePlans({
        plans: [
          { ...plans.plans[0], amount: 1 } as (typeof plans.plans)[0],
          { id: 'gone', name: 'Gone', priceId: 'price_gone', amount: 1, currency: 'usd', features: {} },
        ],
      })
      await expect(checkPlans(shop.stripe, wrong)).rejects.toMatchObject({
        code: 'OUTGROW_PLANS_DIFFER',
        message: expect.stringMatching(/pro: 1 usd here, 1900 usd.*gone: Stripe has no price/) as string,
      })
      expect(() => definePlans({ plans: [...plans.plans, ...plans.plans] })).toThrow(/twice/)
    })

    test('four workers do each event once, and a lease that runs out is taken again', async () => {
      const { id } = await subscriber()
      for (let round = 0; round < 10; round++)
        await shop.stripe.subscriptions.update(id, { metadata: { round } })
      for (const one of shop.fake.deliveries.take()) await shop.deliver(one)
      await shop.client.webhookEvent.updateMany({
        where: { objectId: id, type: 'customer.subscription.created' },
        data: { status: 'PROCESSING', leaseUntil: new Date(0), processedAt: null },
      })
      const totals = await Promise.all(Array.from({ length: 4 }, () => shop.work({ concurrency: 2 })))
      const done = totals.reduce((sum, { applied, superseded }) => sum + applied + superseded, 0)
      expect(done).toBe(11)
      expect(
        await shop.client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } }),
      ).toBe(0)
    })

    test('another plan keeps the seats and the add-ons', async () => {
      const { accountId, id } = await subscriber()
      const { object } = shop.fake.store.subscription(id)
      const [plan] = object.items.data
      if (plan) plan.quantity = 5
      const price = shop.fake.addPrice({ name: 'Add-on', amount: 100 })
      object.items.data.unshift({
        ...(plan as NonNullable<typeof plan>),
        id: `${id}_addon`,
        price,
        quantity: 1,
      })
      shop.fake.emit('customer.subscription.updated', object)
      await shop.settle()
      await changePlan(shop.billing, accountId, { planId: 'team' })
      expect(object.items.data.map((item) => [item.price.id, item.quantity])).toEqual([
        [price.id, 1],
        ['price_team', 5],
      ])
      expect(await limitOf(shop.store, accountId, 'seats', at())).toBe(50n)
    })

    test('who pays a plan’s former price keeps what it gives', async () => {
      const { accountId } = await subscriber()
      const [pro, team] = plans.plans
      if (!pro || !team) throw new Error('no plans')
      shop.fake.addPrice({ id: 'price_pro_2', name: 'Pro', amount: 2900 })
      await syncPlans(shop.store, { plans: [{ ...pro, priceId: 'price_pro_2', amount: 2900 }, team] })
      expect((await reconcile(shop.billing)).failures).toEqual([])
      expect(await limitOf(shop.store, accountId, 'seats', at())).toBe(3n)
      await syncPlans(shop.store, { plans: [{ ...pro, id: 'starter' }, team] }) // renamed, at its old price
      await syncPlans(shop.store, plans)
    })

    test('a message that takes long stops nothing else, and is sent again', async () => {
      const { customer } = await subscriber()
      shop.fake.emit('invoice.paid', { id: 'in_slow', object: 'invoice', customer })
      for (const one of shop.fake.deliveries.take()) await shop.deliver(one)
      let hangs = true
      const stop = new AbortController()
      const running = shop.work({
        untilEmpty: false,
        signal: stop.signal,
        concurrency: 2,
        pollMs: 10,
        leaseMs: 1000,
        send: () => (hangs ? new Promise(() => {}) : Promise.resolve()),
      })
      const isDone = async () =>
        (await shop.client.webhookEvent.findFirst({ where: { objectId: 'in_slow' } }))?.status === 'DONE'
      while (!(await isDone())) await new Promise((done) => setTimeout(done, 10))
      shop.fake.emit('invoice.paid', { id: 'in_later', object: 'invoice', customer })
      for (const one of shop.fake.deliveries.take()) await shop.deliver(one)
      while (
        !(await shop.client.webhookEvent.findFirst({ where: { objectId: 'in_later', status: 'DONE' } }))
      ) {
        await new Promise((done) => setTimeout(done, 10))
      }
      hangs = false
      stop.abort()
      await running
      expect(
        await shop.client.outboxMessage.findUnique({ where: { key: 'invoice.paid:in_slow' } }),
      ).toMatchObject({
        sentAt: null,
        lastError: expect.stringContaining('longer than') as string,
      })
    })

    test('an event that took its workers with it is given up before it takes another', async () => {
      const { customer } = await subscriber()
      shop.fake.emit('invoice.paid', { id: 'in_crash', object: 'invoice', customer })
      for (const one of shop.fake.deliveries.take()) await shop.deliver(one)
      await shop.client.webhookEvent.updateMany({
        where: { objectId: 'in_crash' },
        data: { status: 'PROCESSING', attempts: 100, leaseUntil: new Date(0) },
      })
      expect((await shop.work()).dead).toBe(1)
      expect(await shop.client.webhookEvent.findFirst({ where: { objectId: 'in_crash' } })).toMatchObject({
        status: 'DEAD',
        lastError: expect.stringContaining('every worker that claimed it died') as string,
      })
    })

    test('an event that fails again and again becomes a dead letter', async () => {
      const { customer } = await subscriber()
      shop.fake.emit('invoice.paid', { id: 'in_x', object: 'invoice', customer })
      for (const one of shop.fake.deliveries.take()) await shop.deliver(one)
      await shop.client.webhookEvent.updateMany({ where: { objectId: 'in_x' }, data: { attempts: 98 } })
      for (let attempt = 0; attempt < 2; attempt++) {
        shop.fake.fail({ status: 500, times: 1 })
        await shop.work()
        shop.fake.advance(3700)
      }
      expect(await shop.client.webhookEvent.findFirst({ where: { objectId: 'in_x' } })).toMatchObject({
        status: 'DEAD',
        attempts: 100,
      })
    })
  })

test('every move between two statuses is judged', () => {
  const statuses = Object.values(SubscriptionStatus)
  const expected = [undefined, ...statuses].flatMap((from) =>
    statuses
      .filter((to) => isExpectedTransition(from, to))
      .map((to) => `${from ?? 'none'} -> ${to}`.toLowerCase()),
  )
  expect(expected).toEqual([
    'none -> incomplete',
    'none -> trialing',
    'none -> active',
    'incomplete -> incomplete_expired',
    'incomplete -> active',
    'incomplete -> canceled',
    'trialing -> active',
    'trialing -> past_due',
    'trialing -> canceled',
    'trialing -> paused',
    'active -> past_due',
    'active -> canceled',
    'active -> paused',
    'past_due -> active',
    'past_due -> canceled',
    'past_due -> unpaid',
    'past_due -> paused',
    'unpaid -> active',
    'unpaid -> canceled',
    'paused -> active',
    'paused -> past_due',
    'paused -> canceled',
  ])
})
