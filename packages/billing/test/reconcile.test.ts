import { isThere, until } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billingStatus, reconcile, reconciliationFindings } from '../src/index.ts'
import { asOnlyReconciliation } from '../src/repair/reconcile-task.ts'
import { databases, openShop, statusOf, type Shop } from './shop.ts'

for (const backend of databases)
  describe.skipIf(!isThere(backend))(`reconcile as a cron job, on ${backend}`, () => {
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
      return { ...account, id }
    }

    test('it ends while events go on arriving faster than they are worked off', async () => {
      const { id } = await subscriber()
      await shop.settle()
      const over = new AbortController()
      let arrived = 0
      const traffic = (async () => {
        while (!over.signal.aborted) {
          await shop.stripe.subscriptions.update(id, { metadata: { arrived: String(++arrived) } })
          for (const delivery of shop.fake.deliveries.take()) await shop.deliver(delivery)
        }
      })()
      // Each event’s look at Stripe brings two more: the queue is never empty.
      const busy = shop.through(async (request, goOn) => {
        if (request.url.includes('/v1/subscriptions?')) {
          for (let more = 0; more < 2; more++)
            await shop.stripe.subscriptions.update(id, { metadata: { more: String(more) } })
          for (const delivery of shop.fake.deliveries.take()) await shop.deliver(delivery)
        }
        return goOn()
      })
      const found = await reconcile(busy)
      over.abort()
      await traffic
      expect(arrived).toBeGreaterThan(0)
      expect([found.customers, found.drift, found.failures]).toEqual([1, [], []])
      expect(
        await shop.client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } }),
      ).toBeGreaterThan(0)
      await shop.work()
    })

    test('what has just happened is mended and is no finding; the same an hour later is one', async () => {
      shop.fake.advance(3600)
      const { id, customer } = await subscriber()
      shop.fake.deliveries.take() // on its way
      const found = await reconcile(shop.billing)
      expect([reconciliationFindings(found).total, found.inFlight > 0]).toEqual([0, true])
      expect(await statusOf(shop.database, id)).toBe('active')
      await shop.stripe.subscriptions.cancel(id)
      shop.fake.deliveries.take()
      shop.fake.advance(3600)
      await shop.client.webhookEvent.updateMany({ data: { status: 'DONE' } })
      const later = await reconcile(shop.billing)
      expect([later.missingEvents.length, later.inFlight]).toEqual([1, 0])
      await shop.client.subscription.update({
        where: { stripeSubscriptionId: id },
        data: { stripeStatus: 'unpaid', status: 'UNPAID' },
      })
      const drifted = await reconcile(shop.billing)
      expect(drifted.drift.map((one) => one.customer)).toEqual([customer])
      expect(reconciliationFindings(await reconcile(shop.billing)).total).toBe(0)
    })

    test('two do not run at once, one that died is taken over, and the last one’s findings are kept', async () => {
      const asks = Promise.withResolvers<void>()
      const mayGoOn = Promise.withResolvers<void>()
      const held = shop.through(async (_request, goOn) => {
        asks.resolve()
        await mayGoOn.promise
        return goOn()
      })
      const first = reconcile(held)
      await asks.promise
      await expect(reconcile(shop.billing)).rejects.toMatchObject({ code: 'OUTGROW_BILLING_RECONCILING' })
      // Those that change nothing, or concern a few, go beside it.
      await reconcile(shop.billing, { dryRun: true })
      await reconcile(shop.billing, { customers: ['cus_none'] }).catch(() => {})
      mayGoOn.resolve()
      await first
      await shop.client.billingTask.update({
        where: { name: 'reconcile' },
        data: { leaseUntil: new Date(shop.at().getTime() - 1), finishedAt: null },
      })
      await reconcile(shop.billing)
      const { reconciled } = await billingStatus(shop.store)
      expect(reconciled).toEqual({ finishedAt: shop.at(), findings: 0 })
    })

    test('a step that takes long without a word is not taken for dead', async () => {
      const leaseUntil = async () => (await shop.store.upkeep.task('reconcile'))?.leaseUntil?.getTime() ?? 0
      await asOnlyReconciliation(
        shop.billing,
        async () => {
          for (let minutes = 0; minutes < 30; minutes += 6) {
            shop.fake.advance(6 * 60)
            await until(async () => (await leaseUntil()) > shop.at().getTime() + 5 * 60_000)
          }
          await expect(reconcile(shop.billing)).rejects.toMatchObject({ code: 'OUTGROW_BILLING_RECONCILING' })
          return { result: undefined, findings: 0 }
        },
        5,
      )
      expect(await leaseUntil()).toBe(0)
    })

    test('one that fails or is stopped gives its place back, and leaves no end behind', async () => {
      const stop = new AbortController()
      await subscriber()
      const before = await shop.store.upkeep.task('reconcile')
      const stopping = shop.through(async (_request, goOn) => {
        stop.abort(new Error('stopped'))
        return goOn()
      })
      await expect(reconcile(stopping, { signal: stop.signal })).rejects.toThrow('stopped')
      expect(await shop.store.upkeep.task('reconcile')).toMatchObject({
        leaseUntil: null,
        finishedAt: before?.finishedAt,
      })
      expect((await reconcile(shop.billing)).failures).toEqual([])
    })
  })
