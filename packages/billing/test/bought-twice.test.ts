import { isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeCheckout, createCheckout, ensureCustomer, hasFeature, type Billing } from '../src/index.ts'
import { databases, openShop, refusingDeleted, statusOf, type Shop } from './shop.ts'

for (const backend of databases)
  describe.skipIf(!isThere(backend))(`bought twice, on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const checkout = (accountId: string, planId = 'pro', billing: Billing = shop.billing) =>
      createCheckout(billing, { accountId, planId, successUrl: 'http://a/', cancelUrl: 'http://b/' })
    const openPages = (customer: string) =>
      [...shop.fake.store.sessions.values()]
        .filter((session) => session.customer === customer && session.status === 'open')
        .map(({ id }) => id)
    const subscriptionsOf = (customer: string) => shop.fake.store.subscriptionsOf(customer)
    const isCreate = ({ method, url }: Request) => method === 'POST' && url.endsWith('/checkout/sessions')

    test('while the webhook is late, the second purchase is refused, and the first one is seen', async () => {
      const { accountId, customer } = await shop.account()
      shop.fake.completeCheckout((await checkout(accountId)).id)
      await expect(checkout(accountId, 'team')).rejects.toMatchObject({ code: 'OUTGROW_BILLING_SUBSCRIBED' })
      expect([await hasFeature(shop.store, accountId, 'api', shop.at()), openPages(customer)]).toEqual([
        true,
        [],
      ])
    })

    test('two clicks at once lead to the same page', async () => {
      const { accountId, customer } = await shop.account()
      const [first, second] = await Promise.all([checkout(accountId), checkout(accountId)])
      expect([first, openPages(customer)]).toEqual([second, [first?.id]])
    })

    test('an account of the same id in another database is another customer', async () => {
      const { accountId, customer } = await shop.account()
      shop.fake.completeCheckout((await checkout(accountId)).id)
      await shop.settle()
      shop.fake.advance(61)
      const other = await openShop(backend)
      await other.client.account.create({ data: { id: accountId, name: 'other', slug: 'other' } })
      const { stripeCustomerId } = await ensureCustomer({ ...shop.billing, store: other.store }, accountId)
      await other.dispose()
      expect(stripeCustomerId).not.toBe(customer)
    })

    test('of two plans at once, at most one page is open, and no other was handed out', async () => {
      const { accountId, customer } = await shop.account()
      const asked = await Promise.allSettled(
        ['pro', 'team', 'pro', 'team'].map((plan) => checkout(accountId, plan)),
      )
      const pages = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []))
      const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason as object] : []))
      for (const reason of refused) expect(reason).toMatchObject({ code: 'OUTGROW_BILLING_CHANGE_PENDING' })
      const open = openPages(customer)
      expect([open.length, pages]).toEqual([1, expect.arrayContaining(open)])
      for (const id of pages.filter((page) => !open.includes(page)))
        expect(() => shop.fake.completeCheckout(id)).toThrow('expired')
      shop.fake.completeCheckout(open[0] ?? '')
      expect(subscriptionsOf(customer)).toHaveLength(1)
    })

    test('whoever compares two plans a dozen times in an hour gets a page that can be paid each time', async () => {
      const { accountId, customer } = await shop.account()
      let last = ''
      for (let turn = 0; turn < 14; turn++) {
        last = (await checkout(accountId, turn % 2 === 0 ? 'pro' : 'team')).id
        expect(openPages(customer)).toEqual([last])
      }
      shop.fake.completeCheckout(last)
    })

    test('a page that is paid while the other plan’s is being opened is noticed', async () => {
      const { accountId, customer } = await shop.account()
      const { id: first } = await checkout(accountId)
      const late = shop.through(async (request, goOn) => {
        if (request.url.endsWith(`${first}/expire`)) shop.fake.completeCheckout(first)
        return goOn()
      })
      await expect(checkout(accountId, 'team', late)).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_SUBSCRIBED',
      })
      expect([openPages(customer), subscriptionsOf(customer).length]).toEqual([[], 1])
    })

    test('a request that was overtaken hands out no page, leaves none that can be paid, and closes no later one', async () => {
      const isList = ({ method, url }: Request) => method === 'GET' && url.includes('/checkout/sessions?')
      for (const isHeld of [isCreate, isList]) {
        const { accountId, customer } = await shop.account()
        const asks = Promise.withResolvers<void>()
        const mayGoOn = Promise.withResolvers<void>()
        const slow = shop.through(async (request, goOn) => {
          if (isHeld(request)) {
            asks.resolve()
            await mayGoOn.promise
          }
          return goOn()
        })
        const overtaken = checkout(accountId, 'pro', slow)
        await asks.promise
        const { id } = await checkout(accountId, 'team')
        mayGoOn.resolve()
        await expect(overtaken).rejects.toMatchObject({ code: 'OUTGROW_BILLING_CHANGE_PENDING' })
        expect(openPages(customer)).toEqual([id])
      }
    })

    test('of two pages that a lost answer left for one request, one stays open', async () => {
      const { accountId, customer } = await shop.account()
      const { id } = await checkout(accountId)
      const { metadata } = await shop.stripe.checkout.sessions.retrieve(id)
      const { id: twin } = await shop.stripe.checkout.sessions.create({
        mode: 'subscription',
        customer,
        metadata: metadata ?? {},
        success_url: 'http://a/',
        line_items: [{ price: 'price_pro', quantity: 1 }],
      })
      expect(openPages(customer)).toEqual([id, twin])
      expect([(await checkout(accountId)).id]).toEqual(openPages(customer))
    })

    test('a page of the application’s own, for something that is bought once, stays open', async () => {
      const { accountId, customer } = await shop.account()
      const own = { id: 'cs_test_own', object: 'checkout.session', mode: 'payment', status: 'open', customer }
      const expired: string[] = []
      const beside = shop.through(async (request, goOn) => {
        if (request.url.endsWith('/expire')) expired.push(request.url)
        const answer = await goOn()
        if (!request.url.includes('/checkout/sessions?')) return answer
        const list = (await answer.json()) as { data: object[] }
        return Response.json({ ...list, data: [own, ...list.data] })
      })
      const { id } = await checkout(accountId, 'pro', beside)
      shop.fake.completeCheckout(id)
      await completeCheckout(beside, accountId, id)
      expect(expired).toEqual([])
    })

    test('after a crash between Stripe’s answer and the page, the next request finds the same page', async () => {
      const { accountId, customer } = await shop.account()
      const crashing = shop.through(async (request, goOn) => {
        const answer = await goOn()
        if (isCreate(request)) throw new Error('the process is gone')
        return answer
      })
      await expect(checkout(accountId, 'pro', crashing)).rejects.toThrow(/connection/i)
      const left = openPages(customer)
      expect(left).toHaveLength(1)
      expect((await checkout(accountId)).id).toBe(left[0])
      // Or closes it, for another plan.
      expect(openPages(customer)).not.toContain((await checkout(accountId, 'team')).id === left[0])
      expect(openPages(customer)).toHaveLength(1)
    })

    test('a failure that Stripe keeps for its key is not met again', async () => {
      const { accountId } = await shop.account()
      let failures = 0
      const failing = shop.through(async (request, goOn) => {
        if (isCreate(request) && failures++ < 3) shop.fake.fail({ status: 500, times: 1 })
        return goOn()
      })
      const { id } = await checkout(accountId, 'pro', failing)
      expect([failures, (await shop.stripe.checkout.sessions.retrieve(id)).status]).toEqual([4, 'open'])
    })

    test('a first payment that failed can be made anew, and the old invoice cannot be paid beside it', async () => {
      const { accountId, customer } = await shop.account()
      shop.fake.setCard(customer, 'fails')
      const { id, latest_invoice: invoice } = await shop.stripe.subscriptions.create({
        customer,
        items: [{ price: 'price_pro' }],
      })
      await shop.settle()
      expect(await statusOf(shop.database, id)).toBe('incomplete')
      const page = await checkout(accountId)
      await expect(shop.stripe.invoices.pay(invoice as string)).rejects.toThrow('is void')
      shop.fake.completeCheckout(page.id)
      await shop.settle()
      expect([
        await statusOf(shop.database, id),
        subscriptionsOf(customer).map(({ object }) => object.status),
      ]).toEqual(['incomplete_expired', ['incomplete_expired', 'active']])
    })

    test('while a first payment is under way, as a bank debit for days, there is no second purchase', async () => {
      const { accountId, customer } = await shop.account()
      shop.fake.setCard(customer, 'fails')
      const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      for (const intent of shop.fake.store.paymentIntents.values())
        if (intent.customer === customer) intent.status = 'processing'
      await expect(checkout(accountId)).rejects.toMatchObject({ code: 'OUTGROW_BILLING_SUBSCRIBED' })
      expect([await statusOf(shop.database, id), openPages(customer)]).toEqual(['incomplete', []])
    })

    test('a first payment that succeeds just then is noticed', async () => {
      const { accountId, customer } = await shop.account()
      shop.fake.setCard(customer, 'fails')
      const { id, latest_invoice: invoice } = await shop.stripe.subscriptions.create({
        customer,
        items: [{ price: 'price_pro' }],
      })
      const late = shop.through(async (request, goOn) => {
        if (request.url.endsWith('/void')) {
          shop.fake.setCard(customer, 'succeeds')
          await shop.stripe.invoices.pay(invoice as string)
        }
        return goOn()
      })
      await expect(checkout(accountId, 'team', late)).rejects.toMatchObject({
        code: 'OUTGROW_BILLING_SUBSCRIBED',
      })
      expect([await statusOf(shop.database, id), openPages(customer)]).toEqual(['active', []])
    })

    test('who was deleted at Stripe can buy again, whether it was heard of or not, and keeps their history', async () => {
      for (const [isHeard, billing] of [
        [true, shop.billing],
        [false, shop.billing],
        [false, shop.through(refusingDeleted(shop))],
      ] as const) {
        const { accountId, customer, customerId } = await shop.account()
        const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
        await shop.settle()
        const charge = [...shop.fake.store.charges.values()].at(-1)
        await shop.stripe.customers.del(customer)
        if (isHeard) await shop.settle()
        else shop.fake.deliveries.take()
        const pages = await Promise.all([
          checkout(accountId, 'pro', billing),
          checkout(accountId, 'pro', billing),
        ])
        expect(pages[0]).toEqual(pages[1])
        shop.fake.completeCheckout(pages[0]?.id ?? '')
        await shop.settle()
        const row = await shop.client.billingCustomer.findUniqueOrThrow({
          where: { accountId },
          include: { subscriptions: { orderBy: { startedAt: 'asc' } }, former: true },
        })
        expect(row).toMatchObject({
          id: customerId,
          deleted: false,
          subscriptions: [{ stripeSubscriptionId: id, stripeStatus: 'canceled' }, { stripeStatus: 'active' }],
          former: [{ stripeCustomerId: customer }],
        })
        expect(row.stripeCustomerId).not.toBe(customer)
        expect(await hasFeature(shop.store, accountId, 'api', shop.at())).toBe(true)
        // What the former one paid can still be refunded; its state is of no account any more.
        expect(charge?.customer).toBe(customer)
        shop.fake.refund(customer)
        await shop.settle()
        expect((await shop.messages(row.stripeCustomerId))['refund.made']).toBe('sent')
        expect(await hasFeature(shop.store, accountId, 'api', shop.at())).toBe(true)
      }
    })
  })
