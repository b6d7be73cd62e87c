import { join } from 'node:path'
import { createWebhookHandler, ensureCustomer, openStripe, prismaStore, syncPlans } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import { serveOnLoopback, type StripeFake } from '@outgrow/stripe-fake'
import { secret } from '../../chaos/arena.ts'
import { plans } from '../../chaos/plans.ts'
import { makeDeliveries, makeFake, requestOf, sign, type SignedDelivery } from './deliveries.ts'
import { costOf, drain, startWorkers, waitBehind, wakeMs, type Cost } from './drain.ts'
import { measureIntake, type Intake } from './intake.ts'

const schema = join(import.meta.dirname, '../../../prisma/schema')

export interface DatabaseFigures {
  provider: string
  intake: Intake
  /** While a worker process drains what arrives. */
  intakeBesideWorker: Intake
  /** Events a second by the number of worker processes. */
  drained: Record<string, number>
  cost: Cost
  /** One customer's event behind another's 600. */
  waitBehindMs: number
  wakeMs: number
  collisions: { pairs: number; errors: number }
  wrongAfterDrain: number
}

export async function benchDatabase(
  provider: 'sqlite' | 'postgres',
  url: string,
  total: number,
  rounds: number,
): Promise<DatabaseFigures> {
  await deployMigrations(readSchemaSource(schema), url)
  const fake = makeFake(provider)
  let calls = 0
  const http = await serveOnLoopback((request) => {
    if (new URL(request.url).pathname === '/_sent')
      return Promise.resolve(new Response(null, { status: 204 }))
    calls++
    return fake.fetch(request)
  })
  const env = {
    ...process.env,
    DATABASE_URL: url,
    STRIPE_API_BASE: http.url,
    STRIPE_SECRET_KEY: 'sk_test_bench',
  }
  const customers = await makeCustomers(url, openStripe(env))
  const bodies = makeDeliveries(fake, customers, total, 1)
  const cost = await costOf(url, env, customers, () => calls)
  const database = await openDatabase(url)
  const { client } = database
  const store = prismaStore(database)
  const handler = createWebhookHandler({ store, secrets: [secret] })
  const take = async (request: Request) => (await handler(request)).status === 200
  const answer = (delivery: SignedDelivery) => take(requestOf(delivery))
  const receiving = { clear: () => client.webhookEvent.deleteMany(), arrive: requestOf, answer: take }
  const intake = await measureIntake(bodies, rounds, receiving)
  const drained: Record<string, number> = {}
  for (const workers of [1, 2, 4]) drained[workers] = await drain(database, env, workers)
  let wrongAfterDrain = 0
  for (const { object } of fake.store.subscriptions.values()) {
    const found = await client.subscription.findUnique({ where: { stripeSubscriptionId: object.id } })
    if (found?.stripeStatus !== object.status) wrongAfterDrain++
  }
  const [worker] = await startWorkers(env, 1)
  const intakeBesideWorker = await measureIntake(bodies, rounds, receiving)
  worker?.kill('SIGKILL')
  const waitBehindMs = await waitBehind(database, env, customers)
  const collisions = await collide(fake, customers, answer)
  const woken = await wakeMs(database, env, async (at) => {
    fake.emit('customer.subscription.updated', {
      id: `sub_w_${at}`,
      object: 'subscription',
      customer: customers[0],
    })
    const [delivery] = fake.deliveries.take()
    const [signed] = await sign(delivery ? [delivery] : [])
    if (signed) await answer(signed)
    return delivery?.event.id ?? ''
  })
  await http.close()
  await database.close()
  return {
    provider,
    intake,
    intakeBesideWorker,
    drained,
    cost,
    waitBehindMs,
    wakeMs: woken,
    collisions,
    wrongAfterDrain,
  }
}

async function makeCustomers(url: string, stripe: ReturnType<typeof openStripe>): Promise<string[]> {
  const database = await openDatabase(url)
  const store = prismaStore(database)
  await syncPlans(store, plans)
  const customers: string[] = []
  for (let at = 0; at < 100; at++) {
    const { id } = await database.client.account.create({ data: { name: `a${at}`, slug: `a${at}` } })
    customers.push((await ensureCustomer({ store, stripe }, id)).stripeCustomerId)
  }
  await database.close()
  return customers
}

/** `customer.subscription.updated` and `invoice.paid` of one customer at the same moment. */
async function collide(
  fake: StripeFake,
  customers: readonly string[],
  answer: (delivery: SignedDelivery) => Promise<boolean>,
): Promise<{ pairs: number; errors: number }> {
  let errors = 0
  for (const customer of customers) {
    fake.emit('customer.subscription.updated', { id: `sub_x_${customer}`, object: 'subscription', customer })
    fake.emit('invoice.paid', { id: `in_x_${customer}`, object: 'invoice', customer })
  }
  const signed = await sign(fake.deliveries.take())
  for (let at = 0; at < signed.length; at += 2) {
    const answers = await Promise.all(signed.slice(at, at + 2).map(answer))
    errors += answers.filter((taken) => !taken).length
  }
  return { pairs: customers.length, errors }
}
