import type { Database } from '@outgrow/db'
import { day, type StripeFake } from '@outgrow/stripe-fake'
import { plans } from '../plans.ts'

interface Grant {
  limit: bigint | null
  /** Seconds since 1970. */
  until: number
}

type Subscription = ReturnType<StripeFake['store']['subscription']>['object']

const graceSeconds = 7 * day

/** Where an account may use something else, or until another time, than what it pays for says. */
export async function wrongGrants(
  database: Database,
  fake: StripeFake,
  accountId: string,
  subscriptions: readonly Subscription[],
): Promise<string[]> {
  const should = grantsOf(fake, subscriptions)
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
    const until = should.get(feature)?.until ?? 0
    const seconds = expiresAt === null ? null : expiresAt.getTime() / 1000
    if (until === seconds) return []
    const when = (at: number | null) => (at === null ? 'ever' : new Date(at * 1000).toISOString())
    return [`account ${accountId} is granted ${feature} until ${when(seconds)}, not ${when(until)}`]
  })
}

function grantsOf(fake: StripeFake, subscriptions: readonly Subscription[]): Map<string, Grant> {
  const should = new Map<string, Grant>()
  for (const subscription of subscriptions) {
    const until = accessUntil(fake, subscription)
    if (until === undefined) continue
    for (const { price, quantity = 1 } of subscription.items.data) {
      const plan = plans.plans.find(({ priceId }) => priceId === price.id)
      for (const [feature, value] of Object.entries(plan?.features ?? {})) {
        const limit = value === true ? null : BigInt(value) * BigInt(quantity)
        const known = should.get(feature)
        should.set(feature, known ? more(known, { limit, until }) : { limit, until })
      }
    }
  }
  return should
}

/** A week beyond what is paid for, or beyond the first payment that failed; and never beyond a scheduled end. */
function accessUntil(fake: StripeFake, subscription: Subscription): number | undefined {
  const { status, items, cancel_at: end } = subscription
  const paidUntil = Math.max(...items.data.map(({ current_period_end: at }) => at))
  const until =
    status === 'active' || status === 'trialing'
      ? paidUntil + graceSeconds
      : status === 'past_due'
        ? owedSince(fake, subscription) + graceSeconds
        : undefined
  return until === undefined ? undefined : Math.min(until, end ?? until)
}

/** When Stripe first told that an invoice which is still open could not be paid. */
function owedSince({ store }: StripeFake, { id }: Subscription): number {
  const open = store.invoicesOf(id).filter(({ status }) => status === 'open')
  const failures = [...store.events.values()].filter(
    ({ type, data }) =>
      type === 'invoice.payment_failed' &&
      open.some((invoice) => invoice.id === (data.object as { id: string }).id),
  )
  return Math.min(...failures.map(({ created }) => created))
}

/** The larger limit and the later end of two. */
function more(a: Grant, b: Grant): Grant {
  return {
    limit: a.limit === null || b.limit === null ? null : a.limit > b.limit ? a.limit : b.limit,
    until: Math.max(a.until, b.until),
  }
}
