import { setTimeout as sleep } from 'node:timers/promises'
import { day } from '@outgrow/stripe-fake'
import { isThere } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  definePlans,
  hasFeature,
  limitOf,
  reconcile,
  syncCustomer,
  syncPlans,
  type BillingStore,
} from '../src/index.ts'
import { databases, openShop, plans, type Shop } from './shop.ts'

/** The shop's plans, with another number of seats in Pro. */
function plansWith(seats: number, features: Record<string, true | number> = {}) {
  return definePlans({
    plans: plans.plans.map((plan) =>
      plan.id === 'pro' ? { ...plan, features: { ...plan.features, seats, ...features } } : plan,
    ),
  })
}

for (const backend of databases)
  describe.skipIf(!isThere(backend))(`terms of access, on ${backend}`, () => {
    let shop: Shop
    beforeAll(async () => {
      shop = await openShop(backend)
    })
    afterAll(() => shop.dispose())

    const subscriber = async (price = 'price_pro') => {
      const account = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({
        customer: account.customer,
        items: [{ price }],
      })
      await shop.settle()
      return { ...account, id }
    }
    const may = (accountId: string, days = 0) =>
      hasFeature(shop.store, accountId, 'api', new Date(shop.at().getTime() + days * day * 1000))
    const seats = (accountId: string) => limitOf(shop.store, accountId, 'seats', shop.at())

    test('what a plan gives now, everybody who pays it has at once, and nobody else', async () => {
      const [pro, team] = [await subscriber(), await subscriber('price_team')]
      const ended = await subscriber()
      await shop.stripe.subscriptions.cancel(ended.id)
      await shop.settle()
      const { accounts } = await syncPlans(shop.store, plansWith(5, { export: true }))
      expect(accounts).toBeGreaterThan(0)
      expect([
        await seats(pro.accountId),
        await hasFeature(shop.store, pro.accountId, 'export', shop.at()),
        await seats(team.accountId),
        await seats(ended.accountId),
      ]).toEqual([5n, true, 10n, 0n])
      // What a plan gives no more, nobody has any more; and Stripe’s state differs from nothing.
      await syncPlans(shop.store, plans)
      expect([
        await seats(pro.accountId),
        await hasFeature(shop.store, pro.accountId, 'export', shop.at()),
      ]).toEqual([3n, false])
      shop.fake.advance(3600)
      expect((await reconcile(shop.billing)).drift).toEqual([])
      expect(await syncPlans(shop.store, plans)).toEqual({ accounts: 0 })
    })

    test('a change of the plans that is cut off is finished by the next start', async () => {
      const several = [await subscriber(), await subscriber(), await subscriber()]
      let transactions = 0
      const dying: BillingStore = {
        ...shop.store,
        transaction: (work) => {
          if (++transactions === 3) throw new Error('the process is gone')
          return shop.store.transaction(work)
        },
      }
      await expect(syncPlans(dying, plansWith(7))).rejects.toThrow('gone')
      const all = () => Promise.all(several.map(({ accountId }) => seats(accountId)))
      expect(new Set(await all()).size).toBeGreaterThanOrEqual(1)
      expect(await all()).toContain(3n)
      await syncPlans(shop.store, plansWith(7))
      expect(await all()).toEqual([7n, 7n, 7n])
      await syncPlans(shop.store, plans)
    })

    test('plans change while customers are synchronised, and all end with the same terms', async () => {
      const several = [await subscriber(), await subscriber(), await subscriber()]
      const sync = () =>
        Promise.all(
          several.map(({ customerId, customer }) =>
            syncCustomer(shop.billing, { customerId, stripeCustomerId: customer }),
          ),
        )
      await Promise.all([sync(), syncPlans(shop.store, plansWith(8)), sync()])
      expect(await Promise.all(several.map(({ accountId }) => seats(accountId)))).toEqual([8n, 8n, 8n])
      await syncPlans(shop.store, plans)
    })

    test('plans that change between a first synchronisation’s look at them and its end are not missed', async () => {
      const { accountId, customer, customerId } = await shop.account()
      await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      shop.fake.deliveries.take()
      const hasRead = Promise.withResolvers<void>()
      const mayEnd = Promise.withResolvers<void>()
      const store: BillingStore = {
        ...shop.store,
        transaction: (work) =>
          shop.store.transaction((tx) => {
            const write: typeof tx.subscriptions.write = async (...changes) => {
              hasRead.resolve()
              await mayEnd.promise
              await tx.subscriptions.write(...changes)
            }
            return work({ ...tx, subscriptions: { ...tx.subscriptions, write } })
          }),
      }
      const syncing = syncCustomer({ ...shop.billing, store }, { customerId, stripeCustomerId: customer })
      await hasRead.promise
      const changing = syncPlans(shop.store, plansWith(9))
      await Promise.race([changing, sleep(500)]) // it waits for the other’s end
      mayEnd.resolve()
      await Promise.all([syncing, changing])
      expect(await seats(accountId)).toBe(9n)
      await syncPlans(shop.store, plans)
    })

    test('of a quantity of none nothing is given', async () => {
      const { customer, accountId } = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      const [item] = shop.fake.store.subscription(id).object.items.data
      if (item) item.quantity = 0
      await shop.settle()
      expect([await may(accountId), await seats(accountId)]).toEqual([false, 0n])
    })

    test('features that Stripe lists itself stay when plans change', async () => {
      const policy = { stripeEntitlements: true }
      const account = await shop.account()
      await shop.stripe.subscriptions.create({ customer: account.customer, items: [{ price: 'price_pro' }] })
      await shop.settle({ policy })
      await syncPlans(shop.store, plansWith(6), { policy })
      expect([
        await hasFeature(shop.store, account.accountId, 'stripe-pro', shop.at()),
        await seats(account.accountId),
      ]).toEqual([true, 6n])
      await syncPlans(shop.store, plans)
    })

    test('grace counts from the failure of this time, though its recovery and renewals were never heard of', async () => {
      const { accountId, customer } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(31 * day)
      await shop.settle()
      expect([await may(accountId, 0), await may(accountId, 8)]).toEqual([true, false])
      // Paid two days later, renewed, and failed again a month after: no event of it arrives.
      shop.fake.setCard(customer, 'succeeds')
      shop.fake.advance(5 * day)
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(27 * day)
      shop.fake.deliveries.take()
      await reconcile(shop.billing)
      const stored = await shop.client.subscription.findFirstOrThrow({ where: { customer: { accountId } } })
      const [open] = [...shop.fake.store.invoices.values()].filter(
        (invoice) => invoice.customer === customer && invoice.status === 'open',
      )
      expect(stored).toMatchObject({
        stripeStatus: 'past_due',
        pastDueSince: new Date((open?.created ?? 0) * 1000),
      })
      expect([await may(accountId), await may(accountId, 8)]).toEqual([true, false])
    })

    test('grace of a customer who comes here owing counts from the failure, not from the first look', async () => {
      const { accountId, customer } = await shop.account()
      const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
      shop.fake.setCard(customer, 'fails')
      // Two days after the end of its month, which has 28 days at least: it failed then, and is tried again.
      const [item] = shop.fake.store.subscription(id).object.items.data
      shop.fake.advance((item?.current_period_end ?? 0) - shop.fake.store.now + 2 * day)
      shop.fake.deliveries.take()
      await reconcile(shop.billing)
      expect([await may(accountId), await may(accountId, 3), await may(accountId, 7)]).toEqual([
        true,
        true,
        false,
      ])
    })

    test('a scheduled cancel ends access on its date though its end is never heard of', async () => {
      const atDate = await subscriber()
      const atEnd = await subscriber()
      const taken = await subscriber()
      const date = shop.fake.store.now + 10 * day
      await shop.stripe.subscriptions.update(atDate.id, { cancel_at: date })
      for (const { id } of [atEnd, taken])
        await shop.stripe.subscriptions.update(id, { cancel_at_period_end: true })
      await shop.settle()
      const accesses = async (days: number) => [
        await may(atDate.accountId, days),
        await may(atEnd.accountId, days),
        await may(taken.accountId, days),
      ]
      expect(await accesses(9)).toEqual([true, true, true])
      expect(await accesses(11)).toEqual([false, true, true])
      expect(await accesses(32)).toEqual([false, false, false])
      await shop.stripe.subscriptions.update(taken.id, { cancel_at_period_end: false })
      await shop.settle()
      expect(await accesses(32)).toEqual([false, false, true])
    })

    test('the end of a trial is announced once, and the end of one that was made longer again', async () => {
      const { customer } = await shop.account()
      const { id, trial_end: first } = await shop.stripe.subscriptions.create({
        customer,
        items: [{ price: 'price_pro' }],
        trial_period_days: 7,
      })
      shop.fake.advance(5 * day)
      const deliveries = shop.fake.deliveries.take()
      for (const delivery of [...deliveries, ...deliveries]) await shop.deliver(delivery)
      await shop.work()
      const { trial_end: second } = await shop.stripe.subscriptions.update(id, {
        trial_end: (first ?? 0) + 10 * day,
      })
      shop.fake.advance(10 * day)
      await shop.settle()
      const announced = shop.sent.filter(({ topic }) => topic === 'customer.subscription.trial_will_end')
      expect(announced.map(({ key }) => key)).toEqual(
        [first, second].map((end) => `customer.subscription.trial_will_end:${id}:${end}`),
      )
    })

    test('three failed attempts are three messages, in whatever order and however often they arrive', async () => {
      const { customer } = await subscriber()
      shop.fake.setCard(customer, 'fails')
      shop.fake.advance(31 * day)
      const deliveries = shop.fake.deliveries.take()
      for (let attempt = 2; attempt <= 3; attempt++) {
        shop.fake.advance((attempt === 2 ? 3 : 5) * day)
        deliveries.push(...shop.fake.deliveries.take())
      }
      const failed = deliveries.filter(
        ({ event }) =>
          event.type === 'invoice.payment_failed' &&
          (event.data.object as { customer: string }).customer === customer,
      )
      const attempts = failed.map(
        ({ event }) => (event.data.object as { attempt_count: number }).attempt_count,
      )
      expect(attempts).toEqual([1, 2, 3])
      for (const delivery of [...failed.toReversed(), ...failed]) {
        await shop.deliver(delivery)
        await shop.work({ policy: { messageDays: 30 } })
      }
      const { id: invoice } = (failed[0] as (typeof failed)[0]).event.data.object as { id: string }
      const about = shop.sent.filter(({ payload }) => payload.objectId === invoice)
      expect(about.map(({ key }) => key)).toEqual(
        [3, 2, 1].map((attempt) => `invoice.payment_failed:${invoice}:${attempt}`),
      )
      expect(about.map(({ payload }) => payload.attempt)).toEqual([3, 2, 1])
    })
  })
