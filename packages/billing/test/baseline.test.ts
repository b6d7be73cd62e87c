import { day } from '@outgrow/stripe-fake'
import { isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billingStatus, hasFeature, linkCustomer, reconcile, replayOutbox } from '../src/index.ts'
import { databases, openShop, type Shop } from './shop.ts'

for (const backend of databases)
  describe.skipIf(!isThere(backend))(`what was so before, on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscribe = (customer: string) =>
      shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
    const sentAbout = (customer: string) =>
      shop.sent.filter(({ payload }) => payload.customerId === customer).map(({ topic }) => topic)

    /** A customer of an application that had no billing of ours: one subscription ended, one is owed, one is new. */
    const withHistory = async (): Promise<string> => {
      const customer = await shop.stranger()
      const { id: ended } = await subscribe(customer)
      shop.fake.advance(2 * day)
      await shop.stripe.subscriptions.cancel(ended)
      await subscribe(customer)
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(32 * day)
      shop.fake.setCard(customer, 'succeeds')
      await subscribe(customer)
      shop.fake.refund(customer)
      shop.fake.advance(3600)
      return customer
    }

    test('adopting a customer with history mails nobody, and shows what was not said', async () => {
      const { id: accountId } = await shop.client.account.create({ data: { name: 'a', slug: 'adopted' } })
      const customer = await withHistory()
      shop.fake.deliveries.take() // they went to the application as it was
      const { baseline: before } = (await billingStatus(shop.store)).outbox
      await linkCustomer(shop.billing, { accountId, stripeCustomerId: customer })
      const found = await reconcile(shop.billing)
      await shop.work()
      expect(found.missingEvents.length).toBeGreaterThan(0)
      expect(sentAbout(customer)).toEqual([])
      const messages = await shop.messages(customer)
      expect(Object.keys(messages)).toEqual(
        expect.arrayContaining([
          'invoice.paid',
          'invoice.payment_failed',
          'refund.made',
          'subscription.double',
          'subscription.ended',
          'subscription.started',
        ]),
      )
      expect(new Set(Object.values(messages))).toEqual(new Set(['baseline']))
      const status = await billingStatus(shop.store)
      expect(status.outbox.baseline).toBeGreaterThan(before)
      expect(status.unexpectedMoves).toBe(0)
      expect(await hasFeature(shop.store, accountId, 'api', shop.at())).toBe(true)
      // What happens from now on is said.
      shop.fake.dispute(customer)
      await shop.settle()
      expect(sentAbout(customer)).toEqual(['charge.dispute.created'])
    })

    test('a customer whose row the application has brought along is no other', async () => {
      const { id: accountId } = await shop.client.account.create({ data: { name: 'b', slug: 'brought' } })
      const customer = await withHistory()
      shop.fake.deliveries.take()
      await shop.client.billingCustomer.create({
        data: { accountId, stripeCustomerId: customer, createdAt: shop.at() },
      })
      await reconcile(shop.billing)
      await shop.work()
      expect([sentAbout(customer), (await shop.messages(customer))['subscription.started']]).toEqual([
        [],
        'baseline',
      ])
    })

    test('what was bought a minute ago is mailed with the first look at the customer', async () => {
      const { customer } = await shop.account()
      await subscribe(customer)
      shop.fake.advance(60)
      await shop.settle()
      expect(sentAbout(customer).toSorted()).toEqual(['invoice.paid', 'subscription.started'])
    })

    test('of what reconcile brings, that of an hour ago is mailed, and that of weeks ago is recorded as late', async () => {
      const { customer } = await shop.account()
      await subscribe(customer)
      shop.fake.advance(20 * day)
      shop.fake.refund(customer)
      shop.fake.deliveries.take() // never arrived
      shop.fake.advance(3600)
      await reconcile(shop.billing)
      await shop.work()
      expect(await shop.messages(customer)).toEqual({
        'invoice.paid': 'late',
        'refund.made': 'sent',
        'subscription.started': 'late',
      })
      expect(sentAbout(customer)).toEqual(['refund.made'])
      // What somebody must hear of all the same, an operator lets go.
      const { late } = (await billingStatus(shop.store)).outbox
      expect([late > 1, await replayOutbox(shop.store, 'late')]).toEqual([true, late])
      await shop.work()
      expect(await shop.messages(customer)).toMatchObject({ 'invoice.paid': 'sent' })
    })

    test('how late is too late, the application says', async () => {
      const { customer } = await shop.account()
      await subscribe(customer)
      shop.fake.advance(20 * day)
      await shop.settle({ policy: { messageDays: 30 } })
      expect(sentAbout(customer).toSorted()).toEqual(['invoice.paid', 'subscription.started'])
    })
  })
