import type { StripeFake } from '@outgrow/stripe-fake'
import type { Database } from '@outgrow/db'
import { plans } from './arena.ts'
import type { Account } from './act.ts'

/** Where the database is not as Stripe is. Written apart from the product's own comparison, which it judges. */
export async function wrongStates(
  database: Database,
  fake: StripeFake,
  accounts: Account[],
  deep: boolean,
): Promise<string[]> {
  const wrong: string[] = []
  for (const { accountId, customer } of accounts) {
    const stored = await database.client.subscription.findMany({
      where: { customer: { stripeCustomerId: customer } },
      include: { items: true, history: { orderBy: { id: 'asc' } } },
    })
    const truth = fake.store.subscriptionsOf(customer).map(({ object }) => object)
    if (stored.length !== truth.length)
      wrong.push(`${customer} has ${stored.length} subscriptions, not ${truth.length}`)
    for (const object of truth) {
      const found = stored.find(({ stripeSubscriptionId: id }) => id === object.id)
      if (!found) continue
      if (found.stripeStatus !== object.status)
        wrong.push(`${object.id} is ${found.stripeStatus}, not ${object.status}`)
      if (!deep) continue
      const items = (list: { price: string; quantity: number }[]) =>
        JSON.stringify(list.toSorted((a, b) => (a.price < b.price ? -1 : 1)))
      const has = items(found.items.map((item) => ({ price: item.stripePriceId, quantity: item.quantity })))
      const should = items(
        object.items.data.map(({ price, quantity }) => ({ price: price.id, quantity: quantity ?? 1 })),
      )
      if (has !== should) wrong.push(`${object.id} has the items ${has}, not ${should}`)
      if (
        (found.cancelAt?.getTime() ?? null) !== (object.cancel_at === null ? null : object.cancel_at * 1000)
      )
        wrong.push(`${object.id} ends at a different time`)
      const chain = found.history.map(({ from, to }) => [from, to])
      const violations = chain.findIndex(([from], at) => from !== (at === 0 ? null : chain[at - 1]?.[1]))
      if (violations >= 0 || chain.at(-1)?.[1] !== object.status)
        wrong.push(`the history of ${object.id} has a gap`)
    }
    if (deep)
      wrong.push(
        ...(await wrongGrants(database, accountId, fake.store.customers.get(customer)?.deleted ? [] : truth)),
      )
  }
  return wrong
}

async function wrongGrants(
  database: Database,
  accountId: string,
  truth: { status: string; items: { data: { price: { id: string } }[] } }[],
): Promise<string[]> {
  const should = new Map<string, bigint | null>()
  for (const { status, items } of truth) {
    if (!['active', 'trialing', 'past_due'].includes(status)) continue
    for (const { price } of items.data) {
      const plan = plans.plans.find(({ priceId }) => priceId === price.id)
      for (const [feature, value] of Object.entries(plan?.features ?? {})) {
        const limit = value === true ? null : BigInt(value)
        const known = should.get(feature)
        should.set(
          feature,
          known === null || limit === null ? null : known === undefined || limit > known ? limit : known,
        )
      }
    }
  }
  const text = (grants: Iterable<[string, bigint | null]>) =>
    [...grants]
      .map(([feature, limit]) => `${feature}=${limit}`)
      .toSorted()
      .join(' ')
  const stored = await database.client.entitlement.findMany({ where: { accountId } })
  const [has, wanted] = [text(stored.map(({ feature, limit }) => [feature, limit])), text(should)]
  return has === wanted ? [] : [`account ${accountId} is granted "${has}", not "${wanted}"`]
}

const onceEach = new Set<string>([
  'invoice.paid',
  'charge.dispute.created',
  'charge.dispute.closed',
  'customer.deleted',
  'customer.subscription.trial_will_end',
])

/** Effects that are missing, or never went out, and events that are lost or stuck. To be asked after a reconcile. */
export async function wrongEffects(
  database: Database,
  fake: StripeFake,
  customers: string[],
  sent: string[],
): Promise<string[]> {
  const wrong: string[] = []
  const keys = new Set<string>()
  for (const { type, data } of fake.store.events.values()) {
    if (onceEach.has(type)) keys.add(`${type}:${(data.object as { id: string }).id}`)
    if (type === 'invoice.payment_failed') {
      const { id, attempt_count: attempt } = data.object as { id: string; attempt_count: number }
      keys.add(`${type}:${id}:${attempt}`)
    }
    if (type === 'checkout.session.completed')
      keys.add(`checkout.completed:${(data.object as { id: string }).id}`)
  }
  for (const { object } of fake.store.subscriptions.values()) {
    if (object.status === 'active' || object.status === 'trialing')
      keys.add(`subscription.started:${object.id}`)
    if (object.status === 'canceled') keys.add(`subscription.ended:${object.id}`)
  }
  for (const id of fake.store.refunds.keys()) keys.add(`refund.made:${id}`)
  const rows = await database.client.outboxMessage.findMany({ where: { key: { in: [...keys] } } })
  for (const key of keys) {
    const found = rows.filter((row) => row.key === key)
    if (found.length !== 1) wrong.push(`${key} has ${found.length} outbox rows`)
    else if (found[0]?.sentAt === null || !sent.includes(key)) wrong.push(`${key} never went out`)
  }
  const stuck = await database.client.webhookEvent.count({
    where: { customerId: { in: customers }, status: { in: ['PENDING', 'PROCESSING', 'DEAD'] } },
  })
  if (stuck > 0) wrong.push(`${stuck} events are stuck`)
  return wrong
}
