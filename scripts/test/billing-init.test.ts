import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  billingStatus,
  cancel,
  changePlan,
  createWebhookHandler,
  definePlans,
  ensureCustomer,
  limitOf,
  prismaStore,
  prune,
  reconcile,
  replay,
  runWorker,
  syncPlans,
} from '@outgrow/billing'
import { openDatabase, type Database, type PrismaClientShape } from '@outgrow/client'
import {
  deployMigrations,
  diffDatamodels,
  generateSchemas,
  readDmmf,
  readSchemaSource,
} from '@outgrow/schema'
import { serveStripeFake, type StripeFakeServer } from '@outgrow/stripe-fake'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { planFragment } from '../src/billing/plan-fragment.ts'

const root = join(import.meta.dirname, '../..')

const generator = `generator client {
  provider = "prisma-client"
  // outgrow:sqlite output = "../../generated/sqlite"
  // outgrow:postgres output = "../../generated/postgres"
  output = "../generated"
  importFileExtension = "ts"
}
`

/** Two projects that know nothing of billing. In one of them much is taken. */
const projects = {
  'written for SQLite': {
    provider: 'sqlite',
    account: 'User',
    newAccount: { email: 'a@b.c', name: 'Acme' },
    models: { subscription: 'billingSubscription', plan: 'billingPlan' },
    schema: `${generator}
datasource db {
  provider = "sqlite"
}

/// Who signs in, and pays.
model User {
  id       Int       @id @default(autoincrement())
  email    String    @unique
  name     String?
  customer String? // of an older shop
  accounts Account[]
}

model Account {
  id       Int    @id @default(autoincrement())
  userId   Int
  provider String
  user     User   @relation(fields: [userId], references: [id])
}

model Subscription {
  id   Int    @id
  note String
}

model Price {
  id Int @id
  @@map("plans")
}

enum EventStatus {
  A
  B
}

model Thing {
  id     Int         @id
  status EventStatus
}
`,
  },
  'written for Postgres': {
    provider: 'postgresql',
    account: 'Team',
    newAccount: { title: 'Acme' },
    models: {},
    schema: `${generator}
datasource pg {
  provider = "postgresql"
}

model Team {
  id        String   @id @default(uuid()) @pg.Uuid
  title     String
  createdAt DateTime @default(now())
}
`,
  },
} as const

const plans = definePlans({
  plans: [
    { id: 'pro', name: 'Pro', priceId: 'price_pro', amount: 1900, currency: 'usd', features: { seats: 3 } },
    {
      id: 'team',
      name: 'Team',
      priceId: 'price_team',
      amount: 4900,
      currency: 'usd',
      features: { seats: 10 },
    },
  ],
})

type Delegate = { create(args: { data: object }): Promise<{ id: unknown }> }
type Client = PrismaClientShape & Record<string, Delegate>

describe.each(Object.entries(projects))('a project %s', (_, project) => {
  const home = temporaryFolder()
  const schema = join(home, 'prisma/schema.prisma')
  let stripe: StripeFakeServer

  beforeAll(async () => {
    stripe = await serveStripeFake({
      webhookSecret: 'whsec_init',
      // Ahead and standing still: what arrives now is due, however long the clients take to be generated.
      now: Math.floor(Date.now() / 1000) + 3600,
    })
    for (const { priceId, name, amount } of plans.plans) stripe.fake.addPrice({ id: priceId, name, amount })
    mkdirSync(join(home, 'prisma/migrations/20250101000000_init'), { recursive: true })
    writeFileSync(schema, project.schema)
    writeFileSync(join(home, 'package.json'), '{"type":"module"}')
    symlinkSync(join(root, 'internal/node_modules'), join(home, 'node_modules'))
    // Its own history, of its own provider.
    const own = project.schema.replaceAll(/\/\/ outgrow.*$/gm, '')
    const sql = await diffDatamodels(project.provider === 'sqlite' ? 'sqlite' : 'postgres', undefined, own)
    writeFileSync(join(home, 'prisma/migrations/20250101000000_init/migration.sql'), sql)
    writeFileSync(join(home, 'prisma/migrations/migration_lock.toml'), `provider = "${project.provider}"\n`)
    writeFileSync(
      join(home, 'outgrow.config.ts'),
      `export default {
        clients: {
          sqlite: () => import('./generated/sqlite/client.ts'),
          postgres: () => import('./generated/postgres/client.ts'),
        },
        billing: {
          models: ${JSON.stringify(project.models)},
          account: { model: '${project.account.toLowerCase()}' },
          plans: ${JSON.stringify(plans)},
        },
      }\n`,
    )
  })
  afterAll(() => stripe[Symbol.asyncDispose]())

  const init = (...more: string[]) =>
    outgrow<{ models: Record<string, string>; error: { code: string } | null }>(
      ['billing', 'init', '--account', project.account, '--shadow', inject('postgresUrl'), ...more],
      {},
      home,
    )

  test('gets billing’s models, and nothing is changed by a dry run or for a model that does not pay', async () => {
    const dry = await init('--dry-run')
    expect([dry.code, dry.document.error]).toEqual([0, null])
    const wrong = await init('--account', 'Nobody')
    expect([wrong.code, wrong.document.error?.code]).toEqual([2, 'OUTGROW_BILLING_ACCOUNT'])
    expect(readFileSync(schema, 'utf8')).toBe(project.schema)
    const { code, document, stderr } = await init()
    expect([code, stderr]).toEqual([0, expect.stringContaining('Changed schema.prisma')])
    expect(document.models.Subscription).toBe(
      'subscription' in project.models ? 'BillingSubscription' : 'Subscription',
    )
    const again = await init()
    expect([again.code, again.document.error?.code]).toEqual([2, 'OUTGROW_BILLING_THERE'])
    const whole = readFileSync(schema, 'utf8')
    // As an earlier version made it: without a model, the fields that lead to it, and some that came later.
    const lacking =
      /^ *(awaitsHook|baselineAt|skipped|former) .*\n|^\/\/\/ Who a customer was.*\nmodel \w*FormerCustomer \{[^}]*\}\n/gmu
    writeFileSync(schema, whole.replaceAll(lacking, ''))
    const names = Object.values(document.models)
    const { added } = planFragment({
      source: readSchemaSource(schema),
      account: project.account,
      prefix: 'Billing',
    })
    const fieldsOf = (files: [string, string][]) =>
      readDmmf(files)
        .datamodel.models.filter(({ name }) => names.includes(name))
        .map(({ name, fields }) => [name, fields.map((field) => field.name).toSorted()])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b)))
    expect(fieldsOf(added?.source.files ?? [])).toEqual(fieldsOf([['schema.prisma', whole]]))
    writeFileSync(schema, whole)
    expect((await generateSchemas({ schema })).dialects.ok).toBe(true)
    generateClients(home)
  })

  test.each(['sqlite', 'postgres'] as const)('bills on %s', async (provider) => {
    const url =
      provider === 'sqlite'
        ? `file:${join(temporaryFolder(), 'app.db')}`
        : (await makeDatabase(inject('postgresUrl'))).url
    await deployMigrations(readSchemaSource(schema), url)
    const load = (name: string) => () =>
      import(pathToFileURL(join(home, `generated/${name}/client.ts`)).href) as Promise<{
        PrismaClient: new (options: never) => Client
      }>
    const database = await openDatabase<Client>({ sqlite: load('sqlite'), postgres: load('postgres') }, url)
    await subscribeAndLeave(database)
    await database.close()

    const billing = (...args: string[]) =>
      outgrow<{ ok: boolean; error: unknown }>(
        ['billing', ...args, '--database', url],
        { STRIPE_SECRET_KEY: 'sk_test_init', STRIPE_API_BASE: stripe.url },
        home,
      )
    for (const args of [['status'], ['plans'], ['reconcile'], ['dead-letters'], ['prune', '--days', '0']]) {
      const { code, document } = await billing(...args)
      expect([args[0], code, document.error]).toEqual([args[0], 0, null])
    }
  })

  async function subscribeAndLeave(database: Database<Client>): Promise<void> {
    const account = { model: project.account.toLowerCase(), name: 'title' }
    const store = prismaStore(database as never, { models: project.models, account } as never)
    const api = new Stripe('sk_test_init', {
      httpClient: Stripe.createFetchHttpClient(stripe.fake.fetch),
      maxNetworkRetries: 0,
    })
    const billing = { store, stripe: api, now: () => new Date(stripe.fake.store.now * 1000) }
    const receive = createWebhookHandler({ store, secrets: ['whsec_init'] })
    const settle = async () => {
      for (const one of stripe.fake.deliveries.take())
        expect((await receive(stripe.fake.deliveries.request('http://a/', one))).status).toBe(200)
      return runWorker({ ...billing, untilEmpty: true, send: () => Promise.resolve() })
    }
    await syncPlans(store, plans)
    const owner = await (database.client[account.model] as Delegate).create({ data: project.newAccount })
    const accountId = String(owner.id)
    const { stripeCustomerId: customer } = await ensureCustomer(billing, accountId)
    await api.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
    expect(await settle()).toMatchObject({ failed: 0, dead: 0, unsent: 0 })
    expect(await limitOf(store, accountId, 'seats')).toBe(3n)
    await changePlan(billing, accountId, { planId: 'team' })
    expect(await limitOf(store, accountId, 'seats')).toBe(10n)
    await api.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
    await settle()
    expect((await billingStatus(store)).doubleSubscriptions).toMatchObject([{ accountId }])
    expect((await reconcile(billing)).failures).toEqual([])
    expect(await replay(store, { type: 'invoice.paid' })).toBeGreaterThan(0)
    await settle()
    expect(await prune(store, 0, false, new Date(Date.now() + 7_200_000))).toBeGreaterThan(0)
    await cancel(billing, accountId, 'now')
    for (const { id } of (await api.subscriptions.list({ customer })).data) await api.subscriptions.cancel(id)
    await settle()
    expect(await limitOf(store, accountId, 'seats')).toBe(0n)
  }
})

test('billing’s commands name the configuration that they need', async () => {
  const folder = temporaryFolder()
  const args = ['billing', 'status', '--database', 'file:app.db']
  const without = await outgrow<{ error: { code: string } }>(args, {}, folder)
  expect([without.code, without.document.error.code]).toEqual([2, 'OUTGROW_CONFIG_MISSING'])
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'outgrow.config.ts'), 'export default { clients: { sqlite: 1 } }')
  const wrong = await outgrow<{ error: { code: string; message: string } }>(args, {}, folder)
  expect([wrong.code, wrong.document.error.code]).toEqual([2, 'OUTGROW_CONFIG_INVALID'])
  expect(wrong.document.error.message).toContain('clients must have sqlite and postgres')
})

function generateClients(home: string): void {
  const prisma = createRequire(join(root, 'package.json')).resolve('prisma/build/index.js')
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
  for (const provider of ['sqlite', 'postgres']) {
    const args = [prisma, 'generate', '--schema', `prisma/${provider}/schema.prisma`, '--no-hints']
    execFileSync(process.execPath, args, { cwd: home, stdio: 'pipe', env })
  }
}
