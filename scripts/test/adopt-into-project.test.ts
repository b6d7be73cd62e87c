import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  billingStatus,
  createWebhookHandler,
  definePlans,
  hasFeature,
  limitOf,
  linkCustomer,
  prismaStore,
  runWorker,
  syncPlans,
} from '@outgrow/billing'
import type { Adoption } from '@outgrow/billing/adopt'
import { openDatabase, type PrismaClientShape } from '@outgrow/client'
import { openSqlite } from '@outgrow/databases'
import { deployMigrations, diffDatamodels, migrationStatus, readSchemaSource } from '@outgrow/schema'
import { StripeFake } from '@outgrow/stripe-fake'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** An application that knows nothing of Outgrow, and calls much as billing does. */
const schemaOf = (provider: 'sqlite' | 'postgresql') => `generator client {
  provider = "prisma-client"
  // outgrow:sqlite output = "../../generated/sqlite"
  // outgrow:postgres output = "../../generated/postgres"
  output = "../generated"
  importFileExtension = "ts"
}

datasource db {
  provider = "${provider}"
}

model User {
  id       Int     @id @default(autoincrement())
  email    String  @unique
  customer String? // of an older shop
  plans    Plan[]
}

model Plan {
  id     Int  @id @default(autoincrement())
  userId Int
  user   User @relation(fields: [userId], references: [id])
}

model Subscription {
  id   Int    @id @default(autoincrement())
  note String
}

model Right {
  id Int @id @default(autoincrement())
  @@map("entitlements")
}

enum EventStatus {
  NEW
  OLD
}

model Thing {
  id     Int         @id @default(autoincrement())
  status EventStatus
}
`

const plans = definePlans({
  plans: [
    { id: 'pro', name: 'Pro', priceId: 'price_pro', amount: 1900, currency: 'usd', features: { seats: 3 } },
  ],
})

type Client = PrismaClientShape & Record<'user', { create(args: { data: object }): Promise<{ id: number }> }>

interface Document {
  adoption: Adoption | null
  files: string[]
  next: string[]
  error: { code: string; message: string } | null
}

describe.each(['sqlite', 'postgres'] as const)('an application of its own on %s', (provider) => {
  const home = temporaryFolder()
  const schema = join(home, 'prisma/schema.prisma')
  const written = provider === 'sqlite' ? 'sqlite' : 'postgresql'
  const fake = new StripeFake({ webhookSecret: 'whsec_adopt', now: Math.floor(Date.now() / 1000) - 86_400 })
  const stripe = new Stripe('sk_test_adopt', {
    httpClient: Stripe.createFetchHttpClient(fake.fetch),
    maxNetworkRetries: 0,
  })
  let url: string
  let sql: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>
  let customers: string[]
  const closing: (() => unknown)[] = []
  afterAll(() => Promise.all(closing.map((close) => close())))

  beforeAll(async () => {
    mkdirSync(join(home, 'prisma/migrations/20250101000000_init'), { recursive: true })
    writeFileSync(schema, schemaOf(written))
    writeFileSync(join(home, 'package.json'), '{"type":"module"}')
    symlinkSync(join(root, 'internal/node_modules'), join(home, 'node_modules'))
    const own = schemaOf(written).replaceAll(/\/\/ outgrow.*$/gm, '')
    writeFileSync(
      join(home, 'prisma/migrations/20250101000000_init/migration.sql'),
      await diffDatamodels(provider, undefined, own),
    )
    writeFileSync(join(home, 'prisma/migrations/migration_lock.toml'), `provider = "${written}"\n`)
    if (provider === 'sqlite') {
      const path = join(home, 'app.db')
      url = `file:${path}`
      // The application has it open all the time.
      const file = openSqlite(path)
      closing.push(() => file.close())
      sql = async (text, values = []) => {
        const statement = await Promise.resolve().then(() => file.prepare(text))
        if (statement.reader) return statement.all(...values) as Record<string, unknown>[]
        statement.run(...values)
        return []
      }
    } else {
      const made = await makeDatabase(inject('postgresUrl'))
      url = made.url
      sql = (text, values) =>
        made.query(
          text.replaceAll('?', () => '$1'),
          values,
        )
    }
    await deployMigrations(readSchemaSource(schema), url)
    customers = await payAsRailsDoes(provider, sql, fake, stripe)
  })

  const adopt = (...more: string[]) =>
    outgrow<Document>(
      ['billing', 'adopt-inbox', '--preset', 'pay', '--database', url]
        .concat(['--schema', schema, '--account', 'User', '--shadow', inject('postgresUrl')])
        .concat(more),
      {},
      home,
    )

  test('is left as it is by a dry run, which counts what there is', async () => {
    const { code, document } = await adopt('--dry-run')
    expect([code, document.error]).toEqual([4, null])
    expect(document.adoption).toMatchObject({
      inbox: 'billing_webhook_events',
      created: true,
      invalid: 0,
      otherProvider: 2,
      duplicateEvents: 1,
      duplicateRows: 1,
      imported: { dead: 0 },
    })
    expect(document.adoption?.imported.pending).toBeGreaterThan(5)
    expect(readFileSync(schema, 'utf8')).toBe(schemaOf(written))
    expect(globSync('prisma/**/migration.sql', { cwd: home })).toHaveLength(1)
    await expect(sql('SELECT 1 FROM billing_webhook_events')).rejects.toThrow(/billing_webhook_events/)
  })

  test('whose migrations are not applied is refused, and nothing is written', async () => {
    const folder = join(home, 'prisma/migrations/20250102000000_more')
    mkdirSync(folder)
    writeFileSync(join(folder, 'migration.sql'), 'CREATE TABLE more (id integer);\n')
    const { code, document } = await adopt()
    rmSync(folder, { recursive: true })
    expect([code, document.error?.code]).toEqual([2, 'OUTGROW_ADOPT_DATABASE'])
    expect(readFileSync(schema, 'utf8')).toBe(schemaOf(written))
    expect(existsSync(join(home, 'prisma/sqlite'))).toBe(false)
  })

  test('gets models, migrations and rows, and its worker drains them', async () => {
    const dry = (await adopt('--dry-run')).document.adoption
    const { code, document, stderr } = await adopt()
    expect([code, document.error]).toEqual([4, null])
    expect(document.adoption).toEqual(dry)
    expect(stderr).toContain('Subscription is called BillingSubscription')
    expect(document.next.join('\n')).toContain('runWorker')
    // A migration for each provider, of which this database's is applied.
    const migrations = globSync('prisma/**/*_billing/migration.sql', { cwd: home })
    expect(migrations).toHaveLength(2)
    for (const path of migrations)
      expect(readFileSync(join(home, path), 'utf8')).toContain('billing_webhook_events')
    expect(await migrationStatus(readSchemaSource(schema), provider, url, undefined)).toMatchObject({
      pending: [],
      failed: [],
      unrecorded: false,
    })
    generateClient(home, provider)
    const load = () => import(pathToFileURL(join(home, `generated/${provider}/client.ts`)).href) as never
    const database = await openDatabase<Client>({ sqlite: load, postgres: load }, url)
    try {
      // No model is named: the prefixed ones are found.
      const store = prismaStore(database as never, { account: { model: 'user', name: 'email' } } as never)
      await syncPlans(store, plans)
      const accounts: string[] = []
      for (const stripeCustomerId of customers) {
        const { id } = await database.client.user.create({ data: { email: stripeCustomerId } })
        accounts.push(String(id))
        await linkCustomer({ store, stripe }, { accountId: String(id), stripeCustomerId })
      }
      const sent: string[] = []
      const totals = await runWorker({
        store,
        stripe,
        untilEmpty: true,
        send: ({ key }) => {
          sent.push(key)
          return Promise.resolve()
        },
      })
      // All of it was before the application came here: nobody is mailed.
      expect(sent).toEqual([])
      expect(totals).toMatchObject({ failed: 0, dead: 0, unsent: 0 })
      const left = await sql(
        `SELECT status, count(*) AS n FROM billing_webhook_events WHERE source = 'adopted' AND status NOT IN ('done', 'ignored') GROUP BY status`,
      )
      expect(left).toEqual([])
      const [paying = '', left2 = ''] = accounts
      expect(await limitOf(store, paying, 'seats')).toBe(3n)
      expect(await hasFeature(store, left2, 'seats')).toBe(false)
      expect((await billingStatus(store)).doubleSubscriptions).toEqual([])
      // What Stripe sends again is known.
      const receive = createWebhookHandler({ store, secrets: ['whsec_adopt'] })
      const [row] = await sql(`SELECT payload FROM billing_webhook_events WHERE source = 'adopted' LIMIT 1`)
      const again = await receive(fake.deliveries.request('http://a/', { body: String(row?.payload) }))
      expect([again.status, await again.text()]).toEqual([200, 'Known\n'])
    } finally {
      await database.close()
    }
  })

  test('is not changed by another run, which takes only what has come since', async () => {
    const before = readFileSync(schema, 'utf8')
    const first = await adopt()
    expect(first.document.adoption?.imported).toEqual({ done: 0, pending: 0, dead: 0 })
    await insertPay(sql, provider, 'stripe', { ...eventOf('evt_later'), type: 'payout.paid' })
    const { document } = await adopt()
    expect(document.adoption).toMatchObject({ created: false, imported: { done: 1, pending: 0, dead: 0 } })
    expect(readFileSync(schema, 'utf8')).toBe(before)
    expect(globSync('prisma/**/*_billing/migration.sql', { cwd: home })).toHaveLength(2)
  })
})

/** Fills `pay_webhooks` as Pay for Rails does; two customers, one of whom left. Returns their ids. */
async function payAsRailsDoes(
  provider: 'sqlite' | 'postgres',
  sql: (text: string, values?: unknown[]) => Promise<unknown>,
  fake: StripeFake,
  stripe: Stripe,
): Promise<string[]> {
  const id = provider === 'sqlite' ? 'integer PRIMARY KEY AUTOINCREMENT' : 'bigserial PRIMARY KEY'
  const [json, time] = provider === 'sqlite' ? ['json', 'datetime(6)'] : ['jsonb', 'timestamp(6)']
  await sql(
    `CREATE TABLE pay_webhooks (id ${id}, processor varchar, event_type varchar, event ${json}, created_at ${time} NOT NULL, updated_at ${time} NOT NULL)`,
  )
  // Of some older code, unknown to the schema.
  await sql('CREATE TABLE webhook_events (id integer, body text)')
  fake.addPrice({ id: 'price_pro', name: 'Pro', amount: 1900 })
  const customers: string[] = []
  for (const name of ['Ann', 'Bob']) {
    const { id: customer } = await stripe.customers.create({ name })
    customers.push(customer)
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
    if (name === 'Bob') await stripe.subscriptions.cancel(subscription.id)
  }
  const bodies = fake.deliveries.take().map(({ body }) => JSON.parse(body) as { type: string })
  for (const event of bodies) await insertPay(sql, provider, 'stripe', event)
  await insertPay(sql, provider, 'stripe', bodies[0] as { type: string })
  await insertPay(sql, provider, 'paddle_billing', { ...eventOf('ntf_01'), type: 'subscription.created' })
  await insertPay(sql, provider, 'stripe', eventOf('WH-2WR32451HC0233532'))
  return customers
}

function eventOf(id: string): { type: string; id: string } {
  return {
    id,
    object: 'event',
    type: 'invoice.paid',
    created: 1_700_000_000,
    livemode: true,
    data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1' } },
  } as { type: string; id: string }
}

async function insertPay(
  sql: (text: string, values?: unknown[]) => Promise<unknown>,
  provider: 'sqlite' | 'postgres',
  processor: string,
  event: { type: string },
): Promise<void> {
  const now = provider === 'sqlite' ? "strftime('%Y-%m-%d %H:%M:%f', 'now')" : "now() AT TIME ZONE 'UTC'"
  await sql(
    `INSERT INTO pay_webhooks (processor, event_type, event, created_at, updated_at) VALUES ('${processor}', '${event.type}', ?, ${now}, ${now})`,
    [JSON.stringify(event)],
  )
}

function generateClient(home: string, provider: string): void {
  const prisma = createRequire(join(root, 'package.json')).resolve('prisma/build/index.js')
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
  const args = [prisma, 'generate', '--schema', `prisma/${provider}/schema.prisma`, '--no-hints']
  execFileSync(process.execPath, args, { cwd: home, stdio: 'pipe', env })
}
