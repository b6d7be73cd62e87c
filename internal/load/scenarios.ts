import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureCustomer, openStripe, prismaStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { deliverTo, serveStripeFake, subscriptions, type StripeFake } from '@outgrow/stripe-fake'
import { explainedTables } from 'outgrow/billing/context'
import type { ScenarioName } from './scenario-names.ts'
import type { LoadProcesses } from './processes.ts'

interface Load {
  url: string
  processes: LoadProcesses
  /** Aborts when the load is over. */
  signal: AbortSignal
}

interface Started {
  /** Resolves when the load can be seen. */
  begun: Promise<unknown>
  /** To be called once the signal has aborted. */
  end(): Promise<void>
}

/** Starts a load, which goes on until the signal aborts. */
type Scenario = (load: Load) => Promise<Started>

export const scenarios: Record<ScenarioName, Scenario> = {
  'concurrent-writers': async ({ url, processes }) => {
    await makeLoadTable(url)
    const writers = Array.from({ length: 4 }, () => processes.start('writer'))
    const begun = Promise.all(writers.map((writer) => processes.begun(writer, 'writer')))
    return { begun, end: () => Promise.resolve() }
  },
  'long-reader': async ({ url, processes }) => {
    await makeLoadTable(url)
    await processes.firstWord(processes.start('reader'), 'reader')
    const writer = processes.start('bulk-writer')
    return { begun: processes.begun(writer, 'bulk-writer'), end: () => Promise.resolve() }
  },
  'checkout-burst': async ({ url, processes, signal }) => {
    const server = await serveStripeFake({
      webhookSecret: 'whsec_load',
      now: Math.floor(Date.now() / 1000),
    })
    await using begun = new AsyncDisposableStack() // closed again when the start fails
    begun.use(server)
    const env = { STRIPE_SECRET_KEY: 'sk_test_load', STRIPE_API_BASE: server.url }
    const subscribed = await subscribeCustomers(url, server.fake, env)
    const receiver = processes.start('intake')
    const intake = await processes.firstWord(receiver, 'intake')
    for (let n = 0; n < 2; n++) processes.start('worker', env)
    const delivering = deliverTo(server.fake.deliveries, { url: intake, signal, duplicates: 0.2 })
    const renewing = renewAgainAndAgain(server.fake, subscribed, signal)
    const running = begun.move()
    return {
      begun: processes.begun(receiver, 'intake'),
      end: async () => {
        await Promise.allSettled([delivering, renewing])
        await running.disposeAsync()
      },
    }
  },
}

async function makeLoadTable(url: string): Promise<void> {
  const database = await openDatabase(url)
  await database.client.$executeRawUnsafe(
    'CREATE TABLE IF NOT EXISTS _outgrow_load (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)',
  )
  await database.close()
}

/** Accounts of the scratch copy that pay, and their subscriptions at the stand-in. */
async function subscribeCustomers(
  url: string,
  fake: StripeFake,
  env: Record<string, string>,
): Promise<string[]> {
  const price = fake.addPrice({ id: 'price_load', name: 'Load', amount: 1900 })
  const stripe = openStripe(env)
  const database = await openDatabase(url)
  try {
    const ids: string[] = []
    for (let n = 0; n < 25; n++) {
      const slug = `load-${randomUUID()}`
      const { id } = await database.client.account.create({ data: { name: `Load ${n}`, slug } })
      const { stripeCustomerId: customer } = await ensureCustomer(
        { store: prismaStore(database), stripe },
        id,
      )
      ids.push((await stripe.subscriptions.create({ customer, items: [{ price: price.id }] })).id)
    }
    return ids
  } catch (cause) {
    throw explainedTables(cause)
  } finally {
    await database.close()
  }
}

/** Each renewal is an update and an invoice of one customer, at the same moment. */
async function renewAgainAndAgain(
  fake: StripeFake,
  subscribed: string[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const id of subscribed) subscriptions.renew(fake.store, fake.emit, fake.store.subscription(id))
    await sleep(500, undefined, { signal }).catch(() => {})
  }
}
