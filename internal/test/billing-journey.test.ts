import {
  createWebhookHandler,
  ensureCustomer,
  prismaStore,
  runWorker,
  syncPlans,
  type OutboxEffect,
} from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { serveStripeFake } from '@outgrow/stripe-fake'
import { makeDatabase, makeProductDatabase } from '@outgrow/testing'
import { Stripe } from 'stripe'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { plans } from '../chaos/plans.ts'
import type { BillingStatus, Reconciliation } from '@outgrow/billing'
import { outgrow } from '@outgrow/testing/cli'

const schema = join(import.meta.dirname, '../../prisma/schema')

test('an inbox with work in every state goes to Postgres, and nothing is done twice there', async () => {
  await using server = await serveStripeFake({ webhookSecret: 'whsec_x', now: Math.floor(Date.now() / 1000) })
  const { fake, url: base } = server
  for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
  const { port } = new URL(base)
  const stripe = new Stripe('sk_test_x', { host: '127.0.0.1', port: Number(port), protocol: 'http' })
  const source = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const sent: string[] = []
  const send = (effect: OutboxEffect) => {
    sent.push(effect.key)
    return Promise.resolve()
  }

  const sqlite = await openDatabase(source.url)
  await syncPlans(prismaStore(sqlite), plans)
  const account = await sqlite.client.account.create({ data: { name: 'Acme', slug: 'acme' } })
  const { stripeCustomerId: customer } = await ensureCustomer(
    { store: prismaStore(sqlite), stripe },
    account.id,
  )
  const handler = createWebhookHandler({ store: prismaStore(sqlite), secrets: ['whsec_x'] })
  const deliver = async () => {
    for (const one of fake.deliveries.take()) {
      expect((await handler(fake.deliveries.request('http://app/', one))).status).toBe(200)
    }
  }
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
  await deliver()
  await runWorker({ store: prismaStore(sqlite), stripe, send, untilEmpty: true })
  const doneBefore = [...sent]
  await stripe.subscriptions.update(id, {
    items: [{ id: fake.store.subscription(id).object.items.data[0]?.id ?? '', price: 'price_team' }],
  })
  fake.refund(customer)
  fake.emit('invoice.finalization_failed', { id: 'in_dead', object: 'invoice', customer })
  await deliver()
  const events = sqlite.client.webhookEvent
  // One was taken by a worker that died, one was given up.
  await events.updateMany({
    where: { type: 'charge.refunded' },
    data: { status: 'PROCESSING', attempts: 1, leaseUntil: new Date(Date.now() + 1000) },
  })
  await events.updateMany({ where: { objectId: 'in_dead' }, data: { status: 'DEAD', attempts: 100 } })
  const before = await events.groupBy({ by: ['status'], _count: true, orderBy: { status: 'asc' } })
  await sqlite.close()

  const target = await makeDatabase(inject('postgresUrl'))
  const moved = await outgrow(['migrate', '--from', source.url, '--to', target.url, '--schema', schema])
  expect(moved.code).toBe(0)
  const env = { DATABASE_URL: target.url, STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_API_BASE: base }
  const status = await outgrow<{ status: BillingStatus }>(['billing', 'status'], env)
  expect(status.code).toBe(4)
  expect(status.document.status.events).toMatchObject({ DEAD: 1, PROCESSING: 1, PENDING: 1 })

  const postgres = await openDatabase(target.url)
  expect(
    await postgres.client.webhookEvent.groupBy({ by: ['status'], _count: true, orderBy: { status: 'asc' } }),
  ).toEqual(expect.arrayContaining(before))
  await new Promise((done) => setTimeout(done, 1100)) // the lease of the worker that died runs out
  const totals = await runWorker({ store: prismaStore(postgres), stripe, send, untilEmpty: true })
  expect([totals.applied + totals.superseded, totals.failed, totals.dead]).toEqual([2, 0, 0])
  const refund = [...fake.store.refunds.keys()][0] ?? ''
  expect(sent.slice(doneBefore.length)).toEqual([`refund.made:${refund}`])
  const limits = await postgres.client.entitlement.findMany({
    where: { accountId: account.id },
    orderBy: { feature: 'asc' },
  })
  expect(limits.map(({ feature, limit }) => [feature, limit])).toEqual([
    ['api', null],
    ['seats', 10n],
  ])

  const dead = await outgrow<{ events: { type: string }[] }>(['billing', 'dead-letters'], env)
  expect([dead.code, dead.document.events.map(({ type }) => type)]).toEqual([
    4,
    ['invoice.finalization_failed'],
  ])
  expect(
    (await outgrow<{ replayed: number }>(['billing', 'replay', '--dead', '--dry-run'], env)).document
      .replayed,
  ).toBe(1)
  expect((await outgrow<{ replayed: number }>(['billing', 'replay', '--dead'], env)).document.replayed).toBe(
    1,
  )
  await stripe.subscriptions.cancel(id)
  fake.deliveries.take() // never delivered
  // Ten minutes later it is not on its way any more.
  for (const event of fake.store.events.values()) event.created -= 600
  const drift = await outgrow<{ reconciliation: Reconciliation }>(['billing', 'reconcile', '--dry-run'], env)
  expect([drift.code, drift.document.reconciliation.missingEvents.length]).toEqual([4, 1])
  expect((await outgrow(['billing', 'reconcile'], env)).code).toBe(4)
  expect((await outgrow(['billing', 'reconcile'], env)).code).toBe(0)
  expect(
    (await outgrow<{ blanked: number }>(['billing', 'prune', '--days', '0'], env)).document.blanked,
  ).toBeGreaterThan(3)
  expect(await postgres.client.entitlement.count({ where: { accountId: account.id } })).toBe(0)
  await postgres.close()
  await target.drop()
}, 300_000)
