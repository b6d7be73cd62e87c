import {
  billingDetails,
  cancel,
  changePlan,
  checkPlans,
  completeCheckout,
  createCheckout,
  createPortal,
  createWebhookHandler,
  ensureCustomer,
  pause,
  previewChange,
  prismaStore,
  receiptUrl,
  reconcile,
  redeemPromotionCode,
  resume,
  runWorker,
  syncPlans,
  takeBackChange,
  type Billing,
} from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { StripeFake, watchReads, type Read } from '@outgrow/stripe-fake'
import { makeProductDatabase } from '@outgrow/testing'
import { Stripe } from 'stripe'
import { expect, inject, test } from 'vitest'
import { productReads } from '../../packages/stripe-fake/test/product-reads.ts'
import { plans } from '../chaos/plans.ts'

/** Fields that Stripe leaves out of objects that have nothing to say there. */
const optional = new Set([
  'customer.deleted',
  'invoice.parent.subscription_details.subscription_proration_date', // of a preview
  'subscription_schedule.metadata.outgrow', // of one that was made here
])

test('every field that billing reads of Stripe’s answers is in the table, and the stand-in gives it', async () => {
  const reads = new Map<string, Read>()
  const fake = new StripeFake({ webhookSecret: 'whsec_x', now: Math.floor(Date.now() / 1000) })
  for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
  const httpClient = Stripe.createFetchHttpClient(fake.fetch)
  const stripe = watchReads(new Stripe('sk_test_x', { httpClient }), (read) => {
    const name = `${read.object}.${read.field}`
    if (!optional.has(name))
      reads.set(name, { ...read, isThere: read.isThere && reads.get(name)?.isThere !== false })
  })
  const { url } = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const database = await openDatabase(url)
  const store = prismaStore(database)
  const billing: Billing = { store, stripe, now: () => new Date(fake.store.now * 1000) }
  const handler = createWebhookHandler({ store, secrets: ['whsec_x'] })
  const work = async () => {
    for (const one of fake.deliveries.take()) await handler(fake.deliveries.request('http://app/', one))
    return runWorker({ ...billing, untilEmpty: true, send: () => Promise.resolve() })
  }

  await syncPlans(store, plans)
  await checkPlans(stripe, plans)
  const { id: accountId } = await database.client.account.create({ data: { name: 'Acme', slug: 'acme' } })
  const { stripeCustomerId: customer } = await ensureCustomer(billing, accountId)
  const { id: session } = await createCheckout(billing, {
    accountId,
    planId: 'pro',
    successUrl: 'http://app/',
    cancelUrl: 'http://app/',
  })
  fake.completeCheckout(session)
  expect(await completeCheckout(billing, accountId, session)).toEqual({ paid: true })
  await createPortal(billing, accountId, 'http://app/')
  const { confirmation } = await previewChange(billing, accountId, { planId: 'team' })
  await changePlan(billing, accountId, { planId: 'team' }, confirmation)
  const { id: coupon } = await stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'TEN' })
  await redeemPromotionCode(billing, accountId, 'TEN')
  await changePlan(billing, accountId, { planId: 'pro' })
  const { invoices } = await billingDetails(billing, accountId)
  await receiptUrl(billing, accountId, invoices[0]?.id ?? '')
  await takeBackChange(billing, accountId)
  fake.setCard(customer, 'authenticates')
  await changePlan(billing, accountId, { seats: 2 })
  await billingDetails(billing, accountId)
  await takeBackChange(billing, accountId)
  fake.setCard(customer, 'succeeds')
  await cancel(billing, accountId)
  await resume(billing, accountId)
  await pause(billing, accountId)
  await resume(billing, accountId)
  fake.refund(customer)
  fake.closeDispute(fake.dispute(customer)?.id ?? '', 'won')
  expect(await work()).toMatchObject({ failed: 0, dead: 0 })
  await cancel(billing, accountId, 'now')
  fake.deliveries.take() // lost
  fake.advance(900) // what is younger may be on its way
  expect((await reconcile(billing)).missingEvents.length).toBeGreaterThan(0)
  fake.deleteCustomer(customer)
  expect(await work()).toMatchObject({ failed: 0, dead: 0 })
  await database.close()

  const all = [...reads.values()]
  expect(all.length).toBeGreaterThan(20)
  expect(all.filter(({ isThere }) => !isThere)).toEqual([])
  const unlisted = all.filter(({ object, field }) => !productReads[object]?.includes(field))
  expect(unlisted.map(({ object, field }) => `${object}.${field}`)).toEqual([])
})
