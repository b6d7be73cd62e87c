import type { Database } from '@outgrow/db'
import { day, type StripeFake } from '@outgrow/stripe-fake'
import { plans } from '../plans.ts'

interface Grant {
  limit: bigint | null
  /** Seconds since 1970; undefined where the product's own clock decides. */
  until: number | undefined
}

const graceSeconds = 7 * day

/** Where an account may use something else, or until another time, than what it pays for says. */
export async function wrongGrants(
  database: Database,
  fake: StripeFake,
  accountId: string,
  customer: string,
): Promise<string[]> {
  const should = grantsOf(fake, customer)
  const stored = await database.client.entitlement.findMany({ where: { accountId } })
  const text = (grants: [string, bigint | null][]) =>
    grants
      .map(([feature, limit]) => `${feature}=${limit}`)
      .toSorted()
      .join(' ')
  const has = text(stored.map(({ feature, limit }) => [feature, limit]))
  const wanted = text([...should].map(([feature, { limit }]) => [feature, limit]))
  if (has !== wanted) return [`account ${accountId} is granted "${has}", not "${wanted}"`]
  return stored.flatMap(({ feature, expiresAt }) => {
    const until = should.get(feature)?.until
    const seconds = expiresAt === null ? null : expiresAt.getTime() / 1000
    if (until === undefined || until === seconds) return []
    const when = (at: number | null) => (at === null ? 'ever' : new Date(at * 1000).toISOString())
    return [`account ${accountId} is granted ${feature} until ${when(seconds)}, not ${when(until)}`]
  })
}

function grantsOf({ store }: StripeFake, customer: string): Map<string, Grant> {
  const should = new Map<string, Grant>()
  if (store.customers.get(customer)?.deleted) return should
  for (const { object } of store.subscriptionsOf(customer)) {
    const { status, items } = object
    if (!['active', 'trialing', 'past_due'].includes(status)) continue
    const until =
      status === 'past_due'
        ? undefined
        : Math.max(...items.data.map(({ current_period_end: end }) => end)) + graceSeconds
    for (const { price } of items.data) {
      const plan = plans.plans.find(({ priceId }) => priceId === price.id)
      for (const [feature, value] of Object.entries(plan?.features ?? {})) {
        const limit = value === true ? null : BigInt(value)
        const known = should.get(feature)
        should.set(feature, known ? more(known, { limit, until }) : { limit, until })
      }
    }
  }
  return should
}

/** The larger limit and the later end of two. */
function more(a: Grant, b: Grant): Grant {
  return {
    limit: a.limit === null || b.limit === null ? null : a.limit > b.limit ? a.limit : b.limit,
    until: a.until === undefined || b.until === undefined ? undefined : Math.max(a.until, b.until),
  }
}
