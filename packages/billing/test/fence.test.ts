import { Stripe } from 'stripe'
import { backends, isThere, type Backend } from '@outgrow/testing'
import { describe, expect, test } from 'vitest'
import { syncCustomer, type Billing, type BillingTables } from '../src/index.ts'
import { openShop, statusOf } from './shop.ts'

/** Two synchronisations: the first asks Stripe, then the state changes, the second asks and writes, then the first writes. */
async function interleave(backend: Backend, open: (billing: Billing) => Billing) {
  const shop = await openShop(backend)
  try {
    const { customer, customerId } = await shop.account()
    const { id } = await shop.stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
    await shop.settle()
    const asked = Promise.withResolvers<void>()
    const mayGoOn = Promise.withResolvers<void>()
    const held = new Stripe('sk_test_shop', {
      maxNetworkRetries: 0,
      httpClient: Stripe.createFetchHttpClient(async (...request: Parameters<typeof fetch>) => {
        const answer = await shop.fake.fetch(...request)
        const target = request[0] instanceof Request ? request[0].url : String(request[0])
        if (!target.includes('/v1/subscriptions')) return answer
        asked.resolve()
        await mayGoOn.promise
        return answer
      }),
    })
    const sync = (stripe: Stripe) =>
      syncCustomer(open({ ...shop.billing, stripe }), { customerId, stripeCustomerId: customer })
    const first = sync(held)
    await asked.promise
    await shop.stripe.subscriptions.cancel(id)
    const second = await sync(shop.stripe)
    mayGoOn.resolve()
    const { outcome } = await first
    return { first: outcome, second: second.outcome, status: await statusOf(shop.database, id) }
  } finally {
    await shop.dispose()
  }
}

for (const backend of backends)
  describe.skipIf(!isThere(backend))(`an old answer that comes last, on ${backend}`, () => {
    test('is not written', async () => {
      expect(await interleave(backend, (billing) => billing)).toEqual({
        first: 'superseded',
        second: 'applied',
        status: 'canceled',
      })
    })

    test('is written without the fence: the test can tell', async () => {
      const withoutFence = (billing: Billing): Billing => {
        const { store } = billing
        const open = (tx: BillingTables): BillingTables => ({
          ...tx,
          fence: { ...tx.fence, lock: async (id) => ({ ...(await tx.fence.lock(id)), appliedSeq: -1 }) },
        })
        return {
          ...billing,
          store: { ...store, transaction: (work) => store.transaction((tx) => work(open(tx))) },
        }
      }
      expect(await interleave(backend, withoutFence)).toMatchObject({ first: 'applied', status: 'active' })
    })
  })
