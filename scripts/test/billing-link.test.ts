import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prismaStore, syncPlans, type BillingStatus, type CustomerLink } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { serveStripeFake } from '@outgrow/stripe-fake'
import { makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { Stripe } from 'stripe'
import { expect, inject, test } from 'vitest'
import { readLinks } from '../src/billing/read-links.ts'

const folder = temporaryFolder()

test('payers without an account are reported and linked', async () => {
  await using server = await serveStripeFake({ now: Math.floor(Date.now() / 1000) - 3600 })
  const { fake, url: base } = server
  fake.addPrice({ id: 'price_pro', name: 'Pro', amount: 1900 })
  fake.addPrice({ id: 'price_other', name: 'Other', amount: 900 })
  const stripe = new Stripe('sk_test_x', {
    host: '127.0.0.1',
    port: Number(new URL(base).port),
    protocol: 'http',
  })
  const { url, drop } = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const env = { DATABASE_URL: url, STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_API_BASE: base }
  const database = await openDatabase(url)
  const features = { api: true as const }
  const pro = { id: 'pro', name: 'Pro', priceId: 'price_pro', amount: 1900, currency: 'usd', features }
  await syncPlans(prismaStore(database), { plans: [pro] })
  const accounts = await Promise.all(
    ['first', 'second'].map((slug) => database.client.account.create({ data: { name: slug, slug } })),
  )
  const [first = '', second = ''] = accounts.map(({ id }) => id)
  const payer = async (price: string) => {
    const { id } = await stripe.customers.create({ metadata: { accountId: first } })
    await stripe.subscriptions.create({ customer: id, items: [{ price }] })
    return id
  }
  const [own, outside, foreign] = [
    await payer('price_pro'),
    await payer('price_other'),
    await payer('price_pro'),
  ]

  const reconciled = await outgrow(['billing', 'reconcile'], env)
  expect([reconciled.code, reconciled.stderr]).toEqual([
    4,
    expect.stringContaining(`${own} pays and belongs to no account`),
  ])
  const status = () => outgrow<{ status: BillingStatus }>(['billing', 'status'], env)
  const unlinked = async () =>
    (await status()).document.status.unlinkedPayers.map((one) => one.stripeCustomerId)
  expect((await status()).code).toBe(4)
  expect((await unlinked()).toSorted()).toEqual([own, outside, foreign].toSorted())

  const link = (...args: string[]) => outgrow<{ linked: CustomerLink[] }>(['billing', 'link', ...args], env)
  const file = join(folder, 'links.csv')
  writeFileSync(file, `# customer,account\n${own},${first}\n${outside}, nobody\n`)
  const refused = await link('--file', file)
  expect([refused.code, refused.stderr, await database.client.billingCustomer.count()]).toEqual([
    2,
    expect.stringContaining('There is no account nobody'),
    0,
  ])
  writeFileSync(file, `${own},${first}\n${outside},${second}\n`)
  expect((await link('--file', file, '--dry-run')).document.linked).toHaveLength(2)
  expect(await database.client.billingCustomer.count()).toBe(0)
  expect((await link('--file', file)).code).toBe(0)
  expect(await database.client.entitlement.count({ where: { accountId: first } })).toBe(1)
  expect((await link('--customer', own, '--not-ours')).code).toBe(2)
  expect((await link('--customer', foreign, '--not-ours')).code).toBe(0)
  const last = await status()
  expect([last.code, last.document.status.unlinkedPayers]).toEqual([4, []])
  expect(last.document.status.outsidePlans).toEqual([
    { accountId: second, subscription: expect.any(String) as string, prices: ['price_other'] },
  ])
  expect(last.stderr).toContain(`account ${second} pays for what no plan gives`)
  expect(last.document.status.outbox.waiting).toBe(0) // nobody is mailed about what was before
  await database.close()
  await drop()
})

test('a link names a customer and an account, or is refused before anything is asked', () => {
  const file = join(folder, 'wrong.csv')
  writeFileSync(file, 'cus_1,a\ncus_2\n')
  const wrong = [
    {},
    { customer: 'cus_1' },
    { account: 'a' },
    { customer: 'acme', account: 'a' },
    { customer: 'cus_1', account: 'a', notOurs: true },
    { customer: 'cus_1', file },
    { file },
    { file: folder },
  ]
  for (const options of wrong)
    expect(() => readLinks(options)).toThrow(expect.objectContaining({ code: 'OUTGROW_OPTION_INVALID' }))
  expect(() => readLinks({ file })).toThrow(/wrong.csv:2/)
})
