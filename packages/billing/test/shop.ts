import { openSample, type SampleDatabase } from '@outgrow/sample'
import { StripeFake, type Delivery, type StripeFakeOptions } from '@outgrow/stripe-fake'
import { backends, makeSampleDatabase, type Backend } from '@outgrow/testing'
import { Stripe } from 'stripe'
import { inject } from 'vitest'
import {
  createWebhookHandler,
  definePlans,
  ensureCustomer,
  prismaStore,
  runWorker,
  syncPlans,
  type Billing,
  type OutboxEffect,
  type WorkerOptions,
} from '../src/index.ts'

/** Both databases; what a pooler changes, the other tests see. */
export const databases = backends.filter((backend) => backend !== 'postgres behind pgbouncer')

export const secret = 'whsec_shop'

export const plans = definePlans({
  plans: [
    {
      id: 'pro',
      name: 'Pro',
      priceId: 'price_pro',
      amount: 1900,
      currency: 'usd',
      features: { api: true, seats: 3 },
    },
    {
      id: 'team',
      name: 'Team',
      priceId: 'price_team',
      amount: 4900,
      currency: 'usd',
      features: { api: true, seats: 10 },
    },
  ],
})

/** A shop with two plans on one database, with its own stand-in for Stripe. */
export async function openShop(backend: Backend, options: StripeFakeOptions = {}) {
  const made = await makeSampleDatabase(backend, inject('postgresUrl'))
  const database = await openSample(made.url)
  return shopOn({ database, drop: made.drop }, options)
}

export async function shopOn(
  { database, drop }: { database: SampleDatabase; drop: () => Promise<void> },
  options: StripeFakeOptions = {},
) {
  // An hour ahead and standing still: what arrives now is due, however long a suite takes.
  const now = Math.floor(Date.now() / 1000) + 3600
  const fake = new StripeFake({ webhookSecret: secret, now, ...options })
  for (const { priceId, name, amount } of plans.plans) {
    fake.addPrice({ id: priceId, name, amount, features: [`stripe-${name.toLowerCase()}`] })
  }
  const stripe = new Stripe('sk_test_shop', {
    httpClient: Stripe.createFetchHttpClient(fake.fetch),
    maxNetworkRetries: 0,
  })
  const store = prismaStore(database)
  await syncPlans(store, plans)
  const billing: Billing = { store, stripe, now: () => new Date(fake.store.now * 1000) }
  const handler = createWebhookHandler({ store, secrets: [secret] })
  const sent: OutboxEffect[] = []
  let accounts = 0
  return {
    database,
    store,
    client: database.client,
    fake,
    stripe,
    billing,
    handler,
    sent,
    url: database.url,
    at: () => new Date(fake.store.now * 1000),
    /** Billing whose calls to Stripe pass through here. */
    through: (pass: Pass): Billing => ({
      ...billing,
      stripe: new Stripe('sk_test_shop', {
        httpClient: Stripe.createFetchHttpClient((...args: Parameters<typeof fetch>) => {
          const request = new Request(...args)
          return pass(request, () => fake.fetch(request))
        }),
        maxNetworkRetries: 0,
      }),
    }),
    /** Makes changes at once: Stripe answers nobody before one is refused, so that each asks while another is under way. */
    async atOnce(changes: (held: Billing) => Promise<unknown>[]): Promise<PromiseSettledResult<unknown>[]> {
      const isRefused = Promise.withResolvers<void>()
      const held = this.through(async (_request, goOn) => {
        await isRefused.promise
        return goOn()
      })
      const made = changes(held)
      for (const change of made) change.catch(() => isRefused.resolve())
      return Promise.allSettled(made)
    },
    /** A customer that another tool made at Stripe. */
    async stranger(params: Stripe.CustomerCreateParams = {}): Promise<string> {
      return (await stripe.customers.create(params)).id
    },
    /** What the outbox has about a customer, and why it was not sent. */
    async messages(customer: string): Promise<Record<string, string>> {
      const rows = await database.client.outboxMessage.findMany({ orderBy: { key: 'asc' } })
      return Object.fromEntries(
        rows
          .filter(({ payload }) => (payload as { customerId: string }).customerId === customer)
          .map(({ topic, sentAt, skipped }) => [topic, skipped ?? (sentAt ? 'sent' : 'waiting')]),
      )
    },
    /** An account with a customer at Stripe. */
    async account(): Promise<{ accountId: string; customer: string; customerId: string }> {
      const name = `account-${++accounts}`
      const { id: accountId } = await database.client.account.create({ data: { name, slug: name } })
      const { id: customerId, stripeCustomerId: customer } = await ensureCustomer(billing, accountId)
      return { accountId, customer, customerId }
    },
    deliver: (delivery: Pick<Delivery, 'body'>) =>
      handler(fake.deliveries.request('http://app/webhook', delivery)),
    /** Delivers what Stripe has to tell, in its order, and works it off. */
    async settle(extra: Partial<WorkerOptions> = {}): Promise<void> {
      for (const delivery of fake.deliveries.take()) {
        const { status } = await this.deliver(delivery)
        if (status !== 200) throw new Error(`the handler answered ${status}`)
      }
      await this.work(extra)
    },
    work: (extra: Partial<WorkerOptions> = {}) =>
      runWorker({
        ...billing,
        untilEmpty: true,
        stripeCallsPerSecond: Infinity,
        send: async (effect) => {
          sent.push(effect)
        },
        ...extra,
      }),
    async dispose(): Promise<void> {
      await database.close()
      await drop()
    },
  }
}

/** Stripe may refuse to list what a customer had that was deleted there; the stand-in lists it. */
export function refusingDeleted(shop: Shop): Pass {
  return (request, goOn) => {
    const customer = new URL(request.url).searchParams.get('customer')
    if (customer === null || !shop.fake.store.customers.get(customer)?.deleted) return goOn()
    const message = `No such customer: '${customer}'`
    const error = { type: 'invalid_request_error', code: 'resource_missing', param: 'customer', message }
    return Promise.resolve(Response.json({ error }, { status: 400 }))
  }
}

/** Sees a request to Stripe, and lets it go on. */
export type Pass = (request: Request, goOn: () => Promise<Response>) => Promise<Response>

export type Shop = Awaited<ReturnType<typeof openShop>>

/** An event about an object as it was at some time. */
export function eventBody(
  type: string,
  object: object,
  { id, created, apiVersion = '2026-10-28.endive' }: { id: string; created: number; apiVersion?: string },
): string {
  return JSON.stringify({
    id,
    object: 'event',
    api_version: apiVersion,
    created,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: null,
    type,
  })
}

export async function statusOf(
  database: SampleDatabase,
  stripeSubscriptionId: string,
): Promise<string | undefined> {
  const found = await database.client.subscription.findUnique({ where: { stripeSubscriptionId } })
  return found?.stripeStatus
}
