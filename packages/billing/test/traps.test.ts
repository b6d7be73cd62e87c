import { day, subscriptions, thinDelivery } from '@outgrow/stripe-fake'
import { backends, isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  completeCheckout,
  createCheckout,
  hasFeature,
  limitOf,
  prune,
  reconcile,
  replay,
} from '../src/index.ts'
import { eventBody, openShop, plans, statusOf, type Shop } from './shop.ts'

/** What goes wrong in common designs, on both databases. */
for (const backend of backends)
  describe.skipIf(!isThere(backend))(`on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscribe = async (customer: string, price = 'price_pro', extra: object = {}) =>
      shop.stripe.subscriptions.create({ customer, items: [{ price }], ...extra })

    test('1. same-second and late events end in the truth, and a stale one touches no item', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await subscribe(customer)
      const created = shop.fake.deliveries
        .take()
        .find(({ event }) => event.type === 'customer.subscription.created')
      const [item] = (await shop.stripe.subscriptions.retrieve(id)).items.data
      await shop.stripe.subscriptions.update(id, { items: [{ id: item?.id ?? '', price: 'price_team' }] })
      await shop.settle()
      // Incomplete and Pro, of the same second, and last.
      expect((await shop.deliver(created ?? { body: '' })).status).toBe(200)
      await shop.work()
      expect(await statusOf(shop.database, id)).toBe('active')
      expect(await limitOf(shop.store, accountId, 'seats', new Date(shop.fake.store.now * 1000))).toBe(10n)
      await shop.stripe.subscriptions.cancel(id)
      const deleted = shop.fake.deliveries.take()
      const { object } = shop.fake.store.subscription(id)
      const stale = eventBody(
        'customer.subscription.updated',
        { ...object, status: 'active' },
        { id: `evt_stale_${backend}`, created: 1 },
      )
      for (const body of [...deleted.map((one) => one.body), stale]) await shop.deliver({ body })
      await shop.work()
      expect(await statusOf(shop.database, id)).toBe('canceled')
    })

    test('2. the period is the items’: access lasts to the latest', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await subscribe(customer)
      const { object } = shop.fake.store.subscription(id)
      const late = { ...(object.items.data[0] as (typeof object.items.data)[0]), id: `${id}_late` }
      late.current_period_end += 300 * day
      object.items.data.push(late)
      await shop.settle()
      const grant = await shop.client.entitlement.findFirstOrThrow({ where: { accountId, feature: 'api' } })
      expect(grant.expiresAt).toEqual(new Date((late.current_period_end + 7 * day) * 1000))
    })

    test('3. an invoice’s customer is found though its old fields are gone', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      const invoices = shop.fake.deliveries.take().filter(({ event }) => event.type === 'invoice.paid')
      expect(invoices[0]?.event.data.object).not.toHaveProperty('subscription')
      for (const one of invoices) await shop.deliver(one)
      await shop.work()
      expect(await statusOf(shop.database, id)).toBe('active')
    })

    test('4. a scheduled cancel is a date or a flag', async () => {
      for (const change of [{ cancel_at: shop.fake.store.now + day }, { cancel_at_period_end: true }]) {
        const { customer } = await shop.account()
        const { id } = await subscribe(customer)
        await shop.stripe.subscriptions.update(id, change)
        await shop.settle()
        const found = await shop.client.subscription.findUniqueOrThrow({
          where: { stripeSubscriptionId: id },
        })
        expect([found.cancelAt !== null, found.stripeStatus]).toEqual([true, 'active'])
      }
    })

    test('5. paused from active is expected, and a start that expired arrives as an update', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      await shop.settle()
      await shop.stripe.subscriptions.pause(id, { type: 'subscription' })
      await shop.settle()
      const { customer: other } = await shop.account()
      shop.fake.setCard(other, 'fails')
      const { id: unpaid } = await subscribe(other)
      await shop.settle()
      shop.fake.advance(day)
      const told = shop.fake.deliveries.take()
      expect(
        told
          .filter(({ event }) => (event.data.object as { id: string }).id === unpaid)
          .map(({ event }) => event.type),
      ).toEqual(['customer.subscription.updated'])
      for (const one of told) await shop.deliver(one)
      await shop.work()
      const moves = await shop.client.subscriptionTransition.findMany({
        where: { subscription: { stripeSubscriptionId: { in: [id, unpaid] } } },
        orderBy: { id: 'asc' },
      })
      expect(moves.map(({ from, to, expected }) => [from, to, expected])).toEqual([
        [null, 'active', true],
        ['active', 'paused', true],
        [null, 'incomplete', true],
        ['incomplete', 'incomplete_expired', true],
      ])
    })

    test('7. a payload of another API version changes nothing: only its ids are read', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      shop.fake.deliveries.take()
      const old = {
        id,
        object: 'subscription',
        customer,
        status: 'unpaid',
        current_period_end: 1,
        plan: { id: 'old' },
      }
      await shop.deliver({
        body: eventBody('customer.subscription.updated', old, {
          id: `evt_old_${id}`,
          created: 1,
          apiVersion: '2014-01-31',
        }),
      })
      await shop.work()
      expect(await statusOf(shop.database, id)).toBe('active')
      expect(await shop.client.webhookEvent.findFirst({ where: { objectId: id } })).toMatchObject({
        apiVersion: '2014-01-31',
      })
    })

    test('8. completed is not paid; fulfilment by webhook and success page at once happens once', async () => {
      const { accountId, customer } = await shop.account()
      const session = await createCheckout(shop.billing, {
        accountId,
        planId: 'pro',
        successUrl: 'http://a/',
        cancelUrl: 'http://b/',
      })
      shop.fake.completeCheckout(session.id)
      const stored = shop.fake.store.sessions.get(session.id)
      if (stored) stored.payment_status = 'unpaid'
      await shop.settle()
      const key = `checkout.completed:${session.id}`
      expect(await shop.client.outboxMessage.count({ where: { key } })).toBe(0)
      if (stored) stored.payment_status = 'paid'
      shop.fake.emit('checkout.session.async_payment_succeeded', stored ?? {})
      const deliveries = shop.fake.deliveries.take()
      await Promise.all([
        completeCheckout(shop.billing, accountId, session.id),
        completeCheckout(shop.billing, accountId, session.id),
        ...deliveries.map((one) => shop.deliver(one)),
        shop.work(),
      ])
      await shop.work()
      expect(shop.sent.filter((effect) => effect.key === key)).toHaveLength(1)
      expect(
        await shop.client.subscription.count({ where: { customer: { stripeCustomerId: customer } } }),
      ).toBe(1)
    })

    test('9. one session a customer stays open; two that were paid all the same are told', async () => {
      const { accountId, customer } = await shop.account()
      const intent = { accountId, successUrl: 'http://a/', cancelUrl: 'http://b/' }
      const pro = await createCheckout(shop.billing, { ...intent, planId: 'pro' })
      expect((await createCheckout(shop.billing, { ...intent, planId: 'pro' })).id).toBe(pro.id)
      await shop.stripe.checkout.sessions.expire(pro.id)
      const again = await createCheckout(shop.billing, { ...intent, planId: 'pro' })
      expect(again.id).not.toBe(pro.id)
      const team = await createCheckout(shop.billing, { ...intent, planId: 'team' })
      expect((await shop.stripe.checkout.sessions.retrieve(again.id)).status).toBe('expired')
      // Made elsewhere at the same moment: both are paid.
      const elsewhere = await shop.stripe.checkout.sessions.create({
        mode: 'subscription',
        customer,
        line_items: [{ price: 'price_pro', quantity: 1 }],
        success_url: 'http://a/',
      })
      shop.fake.completeCheckout(team.id)
      shop.fake.completeCheckout(elsewhere.id)
      await shop.settle()
      const [, second] = shop.fake.store.subscriptionsOf(customer)
      expect(
        shop.sent.filter(({ topic }) => topic === 'subscription.double').map(({ payload }) => payload),
      ).toContainEqual({
        customerId: customer,
        objectId: second?.object.id,
      })
      await expect(createCheckout(shop.billing, { ...intent, planId: 'pro' })).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_SUBSCRIBED',
      })
    })

    test('10. metadata and client_reference_id decide nothing', async () => {
      const victim = await shop.account()
      const attacker = await shop.account()
      const session = await shop.stripe.checkout.sessions.create({
        mode: 'subscription',
        customer: attacker.customer,
        client_reference_id: victim.accountId,
        metadata: { accountId: victim.accountId },
        line_items: [{ price: 'price_pro', quantity: 1 }],
        success_url: 'http://app/',
      })
      shop.fake.completeCheckout(session.id)
      await shop.settle()
      expect(await shop.client.entitlement.count({ where: { accountId: victim.accountId } })).toBe(0)
      expect(
        await hasFeature(shop.store, attacker.accountId, 'api', new Date(shop.fake.store.now * 1000)),
      ).toBe(true)
      await expect(completeCheckout(shop.billing, victim.accountId, session.id)).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_SESSION',
      })
    })

    test('11. more entitlements than an event carries are all granted', async () => {
      const { customer, accountId } = await shop.account()
      const keys = Array.from({ length: 25 }, (_, at) => `feature-${at}`)
      const price = shop.fake.addPrice({ name: `Many ${backend}`, amount: 100, features: keys })
      await subscribe(customer, price.id)
      await shop.settle({ policy: { graceDays: 7, stripeEntitlements: true } })
      const granted = await shop.client.entitlement.findMany({ where: { accountId } })
      expect(granted.map(({ feature }) => feature).toSorted()).toEqual(keys.toSorted())
    })

    test('12. refunds and disputes change no status and no access; a refund that fails is told', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await subscribe(customer)
      await shop.settle()
      const refund = shop.fake.refund(customer)
      shop.fake.failRefund(refund?.id ?? '')
      const dispute = shop.fake.dispute(customer)
      shop.fake.closeDispute(dispute?.id ?? '', 'lost')
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('active')
      expect(await hasFeature(shop.store, accountId, 'api', new Date(shop.fake.store.now * 1000))).toBe(true)
      const topics = shop.sent
        .filter(({ payload }) => payload.customerId === customer)
        .map(({ topic }) => topic)
      for (const topic of [
        'refund.made',
        'refund.failed',
        'charge.dispute.created',
        'charge.dispute.closed',
      ]) {
        expect(topics.filter((one) => one === topic)).toHaveLength(1)
      }
    })

    test('13. a deleted customer’s subscriptions and access end', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await subscribe(customer)
      await shop.settle()
      await shop.stripe.customers.del(customer)
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('canceled')
      expect(await shop.client.entitlement.count({ where: { accountId } })).toBe(0)
      expect(await shop.client.billingCustomer.findUnique({ where: { accountId } })).toMatchObject({
        deleted: true,
      })
    })

    test('14. an event that Stripe has forgotten is replayed from the inbox, even when its personal data is gone', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      await shop.settle()
      const stored = await shop.client.webhookEvent.findFirstOrThrow({
        where: { customerId: customer, type: 'invoice.paid' },
      })
      expect(stored.payload).toContain(customer)
      await shop.client.webhookEvent.update({ where: { id: stored.id }, data: { receivedAt: new Date(0) } })
      expect(await prune(shop.store, 90, true)).toBe(1)
      expect(await prune(shop.store, 90)).toBe(1)
      shop.fake.store.events.clear()
      await shop.client.subscription.update({
        where: { stripeSubscriptionId: id },
        data: { stripeStatus: 'unpaid', status: 'UNPAID' },
      })
      expect(await replay(shop.store, { ids: [stored.stripeEventId] })).toBe(1)
      await shop.work()
      expect(await statusOf(shop.database, id)).toBe('active')
    })

    test('15. a slow, busy or failing Stripe delays events and loses none', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      shop.fake.fail({ status: 429, times: 1, retryAfterSeconds: 30 })
      shop.fake.fail({ status: 500, times: 2 })
      const before = shop.fake.store.now
      await shop.settle()
      const waiting = await shop.client.webhookEvent.findMany({
        where: { customerId: customer, status: 'PENDING' },
      })
      expect(waiting.length).toBeGreaterThan(0)
      expect(waiting.some(({ nextAttemptAt }) => nextAttemptAt.getTime() >= (before + 30) * 1000)).toBe(true)
      expect(waiting.every(({ lastError }) => /^Stripe(RateLimit|API|)Error/.test(lastError ?? ''))).toBe(
        true,
      )
      expect(waiting.every(({ attempts }) => attempts === 0)).toBe(true) // to be asked to wait is no failure
      const seen = []
      for (let attempt = 0; attempt < 3; attempt++) {
        shop.fake.advance(3600)
        await shop.work()
        seen.push(await statusOf(shop.database, id))
      }
      expect(seen).toEqual([undefined, undefined, 'active'])
    })

    test('thin events are resolved by their object', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      const thin = shop.fake.deliveries.take().map(({ event }) => thinDelivery(event))
      for (const one of thin) expect((await shop.deliver(one)).status).toBe(200)
      await shop.work()
      expect(await statusOf(shop.database, id)).toBe('active')
    })

    test('a status that Stripe adds later is kept as it is, and gives access to the end of the period', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await subscribe(customer)
      const state = shop.fake.store.subscription(id)
      subscriptions.setStatus(shop.fake.store, shop.fake.emit, state, 'hibernating')
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('hibernating')
      expect(await hasFeature(shop.store, accountId, 'api', new Date(shop.fake.store.now * 1000))).toBe(true)
    })

    test('reconcile finds what never arrived, says so in a dry run, mends it, and then finds nothing', async () => {
      const { customer } = await shop.account()
      const { id } = await subscribe(customer)
      const lost = shop.fake.deliveries.take()
      shop.fake.advance(3600) // what is younger may be on its way
      const dry = await reconcile(shop.billing, { dryRun: true })
      const handled = lost.filter(({ event }) => !/^customer\.(created|updated)$/.test(event.type))
      expect(dry.missingEvents.toSorted()).toEqual(handled.map(({ event }) => event.id).toSorted())
      expect(dry.drift.map(({ customer: one }) => one)).toContain(customer)
      expect(await statusOf(shop.database, id)).toBeUndefined()
      const mended = await reconcile(shop.billing)
      expect(mended.missingEvents).toEqual(dry.missingEvents)
      expect(await statusOf(shop.database, id)).toBe('active')
      const again = await reconcile(shop.billing)
      expect([again.missingEvents, again.drift]).toEqual([[], []])
    })

    test('plans are in the database with their features', async () => {
      expect(await shop.client.plan.count()).toBe(plans.plans.length)
    })
  })
