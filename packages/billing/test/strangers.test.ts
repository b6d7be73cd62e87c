import { isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  billingStatus,
  definePlans,
  hasFeature,
  linkCustomer,
  reconcile,
  syncPlans,
  type LinkCustomer,
} from '../src/index.ts'
import { databases, openShop, plans, refusingDeleted, type Shop } from './shop.ts'

for (const backend of databases)
  describe.skipIf(!isThere(backend))(`paid and got nothing, on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscribe = async (customer: string, price = 'price_pro') =>
      (await shop.stripe.subscriptions.create({ customer, items: [{ price }] })).id
    const unlinked = async () =>
      (await billingStatus(shop.store)).unlinkedPayers.map(({ stripeCustomerId }) => stripeCustomerId)
    const account = async (slug: string) =>
      (await shop.client.account.create({ data: { name: slug, slug } })).id
    const may = (accountId: string) => hasFeature(shop.store, accountId, 'api', shop.at())

    test('a price outside of the plans is reported, and gives what its plan gives as soon as one has it', async () => {
      const { customer, accountId } = await shop.account()
      shop.fake.addPrice({ id: 'price_yearly', name: 'Pro, yearly', amount: 19_000, interval: 'year' })
      const subscription = await subscribe(customer, 'price_yearly')
      await shop.settle()
      const reported = async () =>
        (await billingStatus(shop.store)).outsidePlans.filter((one) => one.accountId === accountId)
      expect(await reported()).toEqual([{ accountId, subscription, prices: ['price_yearly'] }])
      const yearly = {
        id: 'yearly',
        name: 'Yearly',
        priceId: 'price_yearly',
        amount: 19_000,
        currency: 'usd',
        features: { api: true as const },
      }
      const { accounts } = await syncPlans(shop.store, definePlans({ plans: [...plans.plans, yearly] }))
      expect([accounts, await reported(), await may(accountId)]).toEqual([1, [], true])
    })

    test('an add-on beside a plan is no price outside of the plans', async () => {
      const { customer, accountId } = await shop.account()
      const { id: price } = shop.fake.addPrice({ name: 'Add-on', amount: 100 })
      await shop.stripe.subscriptions.create({ customer, items: [{ price }, { price: 'price_pro' }] })
      await shop.settle()
      const { outsidePlans } = await billingStatus(shop.store)
      expect(outsidePlans.filter((one) => one.accountId === accountId)).toEqual([])
    })

    test('who paid by a link is reported at once, and has the plan and its mails when a person has linked them', async () => {
      const accountId = await account('by-link')
      const customer = await shop.stranger({ email: 'a@example.com' })
      const subscription = await subscribe(customer)
      await shop.settle()
      const { unlinkedPayers } = await billingStatus(shop.store)
      expect(unlinkedPayers).toContainEqual({
        stripeCustomerId: customer,
        subscriptions: [subscription],
        foundAt: expect.any(Date) as Date,
      })
      shop.fake.advance(3600)
      await linkCustomer(shop.billing, { accountId, stripeCustomerId: customer })
      await shop.work()
      expect([await may(accountId), await unlinked()]).toEqual([true, expect.not.arrayContaining([customer])])
      expect(await shop.messages(customer)).toEqual({
        'invoice.paid': 'sent',
        'subscription.started': 'sent',
      })
    })

    test('reconcile finds payers of whom no event came, and they stay reported until they pay no more', async () => {
      const customer = await shop.stranger()
      const subscription = await subscribe(customer)
      shop.fake.deliveries.take()
      shop.fake.advance(3600)
      const dry = await reconcile(shop.billing, { dryRun: true })
      expect(dry.unlinked).toContainEqual({ stripeCustomerId: customer, subscriptions: [subscription] })
      expect(await unlinked()).not.toContain(customer)
      await reconcile(shop.billing)
      expect(await unlinked()).toContain(customer)
      expect((await reconcile(shop.billing)).unlinked.map((one) => one.stripeCustomerId)).toContain(customer)
      await shop.stripe.subscriptions.cancel(subscription)
      await reconcile(shop.billing)
      expect(await unlinked()).not.toContain(customer)
    })

    test('a policy that throws at one customer, and an id of nobody, keep no other from being mended', async () => {
      const [bad, good] = [await shop.stranger(), await shop.stranger()]
      for (const customer of [bad, good]) await subscribe(customer)
      const accountId = await account('after-a-throw')
      const { accountId: mine, customer: own } = await shop.account()
      await subscribe(own)
      shop.fake.deliveries.take()
      shop.fake.advance(3600)
      const linkCustomer: LinkCustomer = ({ id }) => {
        if (id === bad) throw new Error('no such row')
        return Promise.resolve(id === good ? accountId : undefined)
      }
      const found = await reconcile({ ...shop.billing, policy: { linkCustomer } })
      expect(found.failures).toEqual([{ customer: bad, error: 'no such row' }])
      expect([await may(accountId), await may(mine), await unlinked()]).toEqual([
        true,
        true,
        expect.arrayContaining([bad]),
      ])
      const some = await reconcile(shop.billing, { customers: ['cus_nobody', own] })
      expect(some.failures.map(({ customer }) => customer)).toEqual(['cus_nobody'])
      expect(some.customers).toBe(1)
      await shop.store.unlinked.ignore(bad, shop.at())
    })

    test('what is heard of a customer that was deleted at Stripe is ignored, and never a dead letter', async () => {
      const customer = await shop.stranger()
      const subscription = await subscribe(customer)
      await shop.stripe.subscriptions.cancel(subscription)
      await shop.stripe.customers.del(customer)
      await shop.settle(shop.through(refusingDeleted(shop)))
      const events = await shop.client.webhookEvent.findMany({ where: { customerId: customer } })
      expect(new Set(events.map(({ status }) => status))).toEqual(new Set(['IGNORED']))
    })

    test('another application’s customer can be set aside for good', async () => {
      const customer = await shop.stranger()
      await subscribe(customer)
      await shop.settle()
      await shop.store.unlinked.ignore(customer, shop.at())
      await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_team' }] })
      await shop.settle()
      const { unlinked: found } = await reconcile(shop.billing)
      expect([await unlinked(), found.map((one) => one.stripeCustomerId)]).toEqual([
        expect.not.arrayContaining([customer]),
        expect.not.arrayContaining([customer]),
      ])
    })

    test('neither an e-mail address nor metadata makes somebody an account’s customer', async () => {
      const { accountId: victim } = await shop.account()
      const other = await account('mentioned')
      await shop.stripe.customers.update(
        (await shop.store.customers.ofAccount(victim))?.stripeCustomerId ?? '',
        { email: 'victim@example.com' },
      )
      const customer = await shop.stranger({ email: 'victim@example.com', metadata: { accountId: other } })
      const session = await shop.stripe.checkout.sessions.create({
        mode: 'subscription',
        customer,
        client_reference_id: victim,
        metadata: { accountId: other },
        success_url: 'http://a/',
        line_items: [{ price: 'price_pro', quantity: 1 }],
      })
      shop.fake.completeCheckout(session.id)
      await shop.settle()
      await reconcile(shop.billing)
      expect([await may(victim), await may(other), await unlinked()]).toEqual([
        false,
        false,
        expect.arrayContaining([customer]),
      ])
    })

    test('the application’s policy links at the first event, or in reconcile, or says that it is another’s', async () => {
      const [first, second] = [await account('policy-1'), await account('policy-2')]
      const linkCustomer: LinkCustomer = async ({ metadata }) =>
        metadata.tool === 'other' ? null : metadata.own_server_wrote
      const policy = { linkCustomer }
      const byEvent = await shop.stranger({ metadata: { own_server_wrote: first } })
      const byList = await shop.stranger({ metadata: { own_server_wrote: second } })
      const foreign = await shop.stranger({ metadata: { tool: 'other' } })
      for (const customer of [byEvent, foreign]) await subscribe(customer)
      await shop.settle({ policy })
      expect([await may(first), (await shop.messages(byEvent))['subscription.started']]).toEqual([
        true,
        'sent',
      ])
      await subscribe(byList)
      shop.fake.deliveries.take()
      shop.fake.advance(3600)
      const found = await reconcile({ ...shop.billing, policy })
      expect(found.linked).toEqual([{ accountId: second, stripeCustomerId: byList }])
      expect([await may(second), await unlinked()]).toEqual([true, expect.not.arrayContaining([foreign])])
    })

    test('a link that cannot be is refused, and changes nothing', async () => {
      const { accountId, customer } = await shop.account()
      const free = await account('free')
      const stranger = await shop.stranger()
      const links = [
        [accountId, stranger, 'OUTGROW_BILLING_LINK'], // it has a customer
        [free, customer, 'OUTGROW_BILLING_LINK'], // it belongs to another
        [free, 'cus_nowhere', 'OUTGROW_BILLING_LINK'],
        ['nobody', stranger, 'OUTGROW_BILLING_NO_ACCOUNT'],
      ] as const
      for (const [to, stripeCustomerId, code] of links) {
        await expect(linkCustomer(shop.billing, { accountId: to, stripeCustomerId })).rejects.toMatchObject({
          code,
        })
      }
      expect(await shop.store.customers.ofAccount(free)).toBeUndefined()
      expect(await shop.store.customers.ofStripe(stranger)).toBeUndefined()
      // The same once more is no mistake.
      await linkCustomer(shop.billing, { accountId, stripeCustomerId: customer })
    })
  })
