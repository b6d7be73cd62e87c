import { fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { createWebhookHandler, ensureCustomer, openStripe, prismaStore, syncPlans } from '@outgrow/billing'
import { openDatabase, type Database } from '@outgrow/db'
import { startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import { serveOnLoopback, StripeFake, subscriptions, type Delivery } from '@outgrow/stripe-fake'
import { secret } from '../chaos/arena.ts'
import { plans } from '../chaos/plans.ts'
import { chancesOf } from '../chaos/lifecycle.ts'
import { count, textTable } from 'outgrow/output/terminal'
import { median } from './process-usage.ts'

// Its build for `import` looks for `__dirname`, finds none, and runs no migration without saying so.
const { runMigrations, StripeSync } = createRequire(import.meta.url)(
  '@supabase/stripe-sync-engine',
) as typeof import('@supabase/stripe-sync-engine')

const root = join(import.meta.dirname, '../..')

interface Options {
  events: string
  rounds: string
  json?: string
}

export const webhooksCommand = new Command('webhooks')
  .description(
    'intake of a burst, draining with 1, 2 and 4 worker processes, colliding events; compared with a known sync engine',
  )
  .option('--events <n>', 'deliveries of the burst, a fifth of them repeats', '5000')
  .option('--rounds <n>', 'rounds of the burst', '3')
  .option('--json <file>', 'write the figures')
  .action(async ({ events, rounds, json }: Options) => {
    const folder = mkdtempSync(join(mkdirIn(root), 'bench-'))
    const server = await startEmbeddedPostgres({ directory: join(folder, 'server') })
    try {
      const results = []
      for (const provider of ['sqlite', 'postgres'] as const) {
        const url = provider === 'sqlite' ? `file:${join(folder, 'app.db')}` : server.url
        results.push(await benchDatabase(provider, url, Number(events), Number(rounds)))
      }
      await withPostgres(server.url, (client) => client.query('CREATE DATABASE engine'))
      const engine = await benchEngine(
        server.url.replace('/postgres?', '/engine?'),
        Number(events),
        Number(rounds),
      )
      report(results, engine, json)
    } finally {
      await server.stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    }
  })

function mkdirIn(folder: string): string {
  const state = join(folder, '.outgrow')
  mkdirSync(state, { recursive: true })
  return state
}

interface Intake {
  perSecond: number
  p50Ms: number
  p99Ms: number
  errors: number
}

/** Sends deliveries, 64 at a time. `answer` resolves to whether it was taken. */
async function burst(
  deliveries: Delivery[],
  answer: (delivery: Delivery) => Promise<boolean>,
): Promise<Intake> {
  const queue = [...deliveries]
  const times: number[] = []
  let errors = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      for (let next = queue.pop(); next; next = queue.pop()) {
        const at = performance.now()
        if (!(await answer(next))) errors++
        times.push(performance.now() - at)
      }
    }),
  )
  const ms = performance.now() - started
  const sorted = times.toSorted((a, b) => a - b)
  const share = (part: number) => sorted[Math.floor(sorted.length * part)] ?? 0
  return { perSecond: (deliveries.length / ms) * 1000, p50Ms: share(0.5), p99Ms: share(0.99), errors }
}

/** Events of 100 customers whose subscriptions come and change, in disorder, a fifth of them twice. */
function makeDeliveries(fake: StripeFake, customers: string[], total: number, seed: number): Delivery[] {
  const chance = chancesOf(seed)
  const unique = Math.round(total * 0.8)
  const { store, emit } = fake
  fake.deliveries.take()
  for (const customer of customers) {
    subscriptions.subscribe(store, emit, {
      customer,
      items: [{ price: 'price_pro', quantity: 1 }],
      trialDays: chance() < 0.5 ? 7 : 0,
    })
  }
  while (fake.store.events.size < unique + customers.length * 3) {
    const state = [...store.subscriptions.values()][Math.floor(chance() * store.subscriptions.size)]
    if (state && state.object.status !== 'canceled')
      subscriptions.update(store, emit, state, { cancelAtPeriodEnd: chance() < 0.5 })
  }
  for (const state of store.subscriptions.values())
    if (chance() < 0.5) subscriptions.cancelNow(store, emit, state)
  const deliveries = fake.deliveries.take().slice(-unique)
  while (deliveries.length < total) deliveries.push(deliveries[Math.floor(chance() * unique)] as Delivery)
  return deliveries
    .map((delivery) => ({ delivery, at: chance() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ delivery }) => delivery)
}

interface DatabaseFigures {
  provider: string
  intake: Intake
  /** Events a second by the number of worker processes. */
  drained: Record<string, number>
  collisions: { pairs: number; errors: number }
  wrongAfterDrain: number
}

async function benchDatabase(
  provider: 'sqlite' | 'postgres',
  url: string,
  total: number,
  rounds: number,
): Promise<DatabaseFigures> {
  await deployMigrations(readSchemaSource(join(root, 'prisma/schema')), url)
  const database = await openDatabase(url)
  const store = prismaStore(database)
  await syncPlans(store, plans)
  const fake = new StripeFake({ webhookSecret: secret, namespace: provider })
  for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
  const http = await serveOnLoopback((request) =>
    new URL(request.url).pathname === '/_sent'
      ? Promise.resolve(new Response(null, { status: 204 }))
      : fake.fetch(request),
  )
  const env = {
    ...process.env,
    DATABASE_URL: url,
    STRIPE_API_BASE: http.url,
    STRIPE_SECRET_KEY: 'sk_test_bench',
  }
  const stripe = openStripe(env)
  const customers: string[] = []
  for (let at = 0; at < 100; at++) {
    const { id } = await database.client.account.create({ data: { name: `a${at}`, slug: `a${at}` } })
    customers.push((await ensureCustomer({ store, stripe }, id)).stripeCustomerId)
  }
  const handler = createWebhookHandler({ store, secrets: [secret] })
  const deliver = async (delivery: Delivery) =>
    (await handler(fake.deliveries.request('http://app/webhook', delivery))).status === 200
  const deliveries = makeDeliveries(fake, customers, total, 1)
  const intakes: Intake[] = []
  for (let round = 0; round <= rounds; round++) {
    await database.client.webhookEvent.deleteMany()
    const intake = await burst(deliveries, deliver)
    if (round > 0) intakes.push(intake) // the first one warms up
  }
  const drained: Record<string, number> = {}
  for (const workers of [1, 2, 4]) drained[workers] = await drain(database, env, workers)
  let wrongAfterDrain = 0
  for (const { object } of fake.store.subscriptions.values()) {
    const found = await database.client.subscription.findUnique({
      where: { stripeSubscriptionId: object.id },
    })
    if (found?.stripeStatus !== object.status) wrongAfterDrain++
  }
  const collisions = await collide(fake, customers, deliver)
  await http.close()
  await database.close()
  const of = (pick: (intake: Intake) => number) => median(intakes.map(pick))
  return {
    provider,
    intake: {
      perSecond: of((i) => i.perSecond),
      p50Ms: of((i) => i.p50Ms),
      p99Ms: of((i) => i.p99Ms),
      errors: of((i) => i.errors),
    },
    drained,
    collisions,
    wrongAfterDrain,
  }
}

/** Time from the moment that 1,000 events wait to the moment that none does; the workers are up before. */
async function drain({ client }: Database, env: NodeJS.ProcessEnv, workers: number): Promise<number> {
  await client.webhookEvent.updateMany({ data: { status: 'DONE' } })
  const running = Array.from({ length: workers }, () =>
    fork(join(root, 'internal/chaos/worker.ts'), ['ours'], {
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  )
  await new Promise((done) => setTimeout(done, 4000))
  const events = await client.webhookEvent.findMany({ take: 1000, select: { id: true } })
  const started = performance.now()
  const range = {
    id: { lte: Math.max(...events.map(({ id }) => id)), gte: Math.min(...events.map(({ id }) => id)) },
  }
  await client.webhookEvent.updateMany({ where: range, data: { status: 'PENDING', attempts: 0 } })
  while ((await client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } })) > 0) {
    await new Promise((done) => setTimeout(done, 20))
  }
  const ms = performance.now() - started
  for (const worker of running) worker.kill('SIGKILL')
  return (events.length / ms) * 1000
}

/** `customer.subscription.updated` and `invoice.paid` of one customer at the same moment. */
async function collide(
  fake: StripeFake,
  customers: string[],
  deliver: (delivery: Delivery) => Promise<boolean>,
): Promise<{ pairs: number; errors: number }> {
  let errors = 0
  for (const customer of customers) {
    fake.emit('customer.subscription.updated', { id: `sub_x_${customer}`, object: 'subscription', customer })
    fake.emit('invoice.paid', { id: `in_x_${customer}`, object: 'invoice', customer })
    const answers = await Promise.all(fake.deliveries.take().map(deliver))
    errors += answers.filter((taken) => !taken).length
  }
  return { pairs: customers.length, errors }
}

interface EngineFigures {
  intake: Intake
  wrong: number
  subscriptions: number
}

/** @supabase/stripe-sync-engine on the same server with the same signed events; it believes their payloads. */
async function benchEngine(url: string, total: number, rounds: number): Promise<EngineFigures> {
  await runMigrations({ databaseUrl: url, schema: 'stripe' })
  const engine = new StripeSync({
    poolConfig: { connectionString: url, max: 10 },
    stripeSecretKey: 'sk_test_bench',
    stripeWebhookSecret: secret,
    backfillRelatedEntities: false,
    autoExpandLists: false,
  })
  const fake = new StripeFake({ webhookSecret: secret, namespace: 'engine' })
  for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
  const customers: string[] = []
  for (let at = 0; at < 100; at++) {
    const answer = await fake.fetch('http://stripe.fake/v1/customers', {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_x', 'stripe-version': '2026-10-28.endive' },
    })
    customers.push(((await answer.json()) as { id: string }).id)
  }
  const deliveries = makeDeliveries(fake, customers, total, 1)
  const deliver = async (delivery: Delivery) => {
    const request = fake.deliveries.request('http://app/webhook', delivery)
    return engine
      .processWebhook(Buffer.from(delivery.body), request.headers.get('stripe-signature') ?? '')
      .then(
        () => true,
        () => false,
      )
  }
  const intakes: Intake[] = []
  for (let round = 0; round <= rounds; round++) {
    await withPostgres(url, (client) =>
      client.query('TRUNCATE stripe.subscriptions, stripe.subscription_items, stripe.invoices'),
    )
    const intake = await burst(deliveries, deliver)
    if (round > 0) intakes.push(intake)
  }
  const { rows } = await withPostgres(url, (client) =>
    client.query<{ id: string; status: string }>('SELECT id, status::text FROM stripe.subscriptions'),
  )
  await engine.postgresClient.pool.end()
  const all = [...fake.store.subscriptions.values()]
  const wrong = all.filter(
    ({ object }) => rows.find(({ id }) => id === object.id)?.status !== object.status,
  ).length
  const of = (pick: (intake: Intake) => number) => median(intakes.map(pick))
  return {
    intake: {
      perSecond: of((i) => i.perSecond),
      p50Ms: of((i) => i.p50Ms),
      p99Ms: of((i) => i.p99Ms),
      errors: of((i) => i.errors),
    },
    wrong,
    subscriptions: all.length,
  }
}

function report(results: DatabaseFigures[], engine: EngineFigures, json: string | undefined): void {
  const intakeRow = (name: string, { perSecond, p50Ms, p99Ms, errors }: Intake) => [
    name,
    `${count(Math.round(perSecond))}/s`,
    `${p50Ms.toFixed(1)} ms`,
    `${p99Ms.toFixed(1)} ms`,
    errors,
  ]
  const print = (lines: string[]) => process.stdout.write(`${lines.join('\n')}\n\n`)
  print(
    textTable(
      ['intake, 64 at a time', 'events', 'p50', 'p99', 'errors'],
      [
        ...results.map(({ provider, intake }) => intakeRow(`outgrow on ${provider}`, intake)),
        intakeRow('stripe-sync-engine on postgres', engine.intake),
      ],
    ),
  )
  print(
    textTable(
      ['drained', '1 worker', '2 workers', '4 workers', 'wrong states', 'colliding pairs', 'errors'],
      results.map(({ provider, drained, wrongAfterDrain, collisions }) => [
        provider,
        ...[1, 2, 4].map((workers) => `${Math.round(drained[workers] ?? 0)}/s`),
        wrongAfterDrain,
        collisions.pairs,
        collisions.errors,
      ]),
    ),
  )
  const postgres = results.find(({ provider }) => provider === 'postgres')
  const intakeToEngine = Number(((postgres?.intake.perSecond ?? 0) / engine.intake.perSecond).toFixed(2))
  process.stdout.write(
    `intakeToEngine: ${intakeToEngine}\nwrong states of stripe-sync-engine: ${engine.wrong} of ${engine.subscriptions}\n`,
  )
  if (json !== undefined) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
    writeFileSync(
      json,
      `${JSON.stringify({ machine, results, engine, ratios: { intakeToEngine } }, null, 2)}\n`,
    )
  }
}
