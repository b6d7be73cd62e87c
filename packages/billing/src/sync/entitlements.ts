import type { Entitlement, SubscriptionState } from '../store.ts'
import { assertNever } from '@outgrow/kit'
import type { BillingPolicy } from '../config/policy.ts'
import { SubscriptionStatus } from '../state/statuses.ts'

/** What an account may use, by feature. */
export type Grants = Map<string, Entitlement>

/** A plan's features by the price that buys it. */
export type FeaturesByPrice = ReadonlyMap<string, Record<string, unknown>>

/** What gives access: a subscription as it is stored, or is about to be. */
export interface GrantingSubscription extends Pick<
  SubscriptionState,
  'status' | 'cancelAt' | 'cancelAtPeriodEnd' | 'pastDueSince'
> {
  items: readonly { stripePriceId: string; quantity: number; currentPeriodEnd: Date }[]
}

const dayMs = 86_400_000
/** What a 64-bit column holds. */
const largest = 2n ** 63n - 1n

/**
 * What a customer's subscriptions and plans give. Several add up: the larger limit and the later end count.
 * @param listed features that Stripe's own entitlements list
 */
export function grantsOf(
  subscriptions: readonly GrantingSubscription[],
  features: FeaturesByPrice,
  policy: Pick<BillingPolicy, 'graceDays'>,
  listed: readonly string[] = [],
): Grants {
  const grants: Grants = new Map()
  for (const subscription of subscriptions) {
    const until = accessUntil(subscription, policy)
    if (until === undefined) continue
    for (const { stripePriceId, quantity } of subscription.items) {
      if (quantity === 0) continue // none of it was bought
      for (const [feature, value] of Object.entries(features.get(stripePriceId) ?? {})) {
        const limit = typeof value === 'number' ? smaller(BigInt(value) * BigInt(quantity), largest) : null
        if (value !== false) add(grants, feature, { limit, expiresAt: until })
      }
    }
  }
  // Stripe's own list has no limits: it must not lift a plan's.
  for (const feature of listed) {
    if (!grants.has(feature)) grants.set(feature, { limit: null, expiresAt: null })
  }
  return grants
}

/** Until when a subscription gives access; undefined when it gives none. */
function accessUntil(
  subscription: GrantingSubscription,
  policy: Pick<BillingPolicy, 'graceDays'>,
): Date | undefined {
  const until = runsUntil(subscription, policy)
  const { cancelAt, cancelAtPeriodEnd, items } = subscription
  // It ends on its date, whether that is heard of or not: there is no renewal that could be late.
  const end = cancelAt ?? (cancelAtPeriodEnd ? latestEnd(items) : undefined)
  return until && end && end < until ? end : until
}

function runsUntil(
  { status, items, pastDueSince }: GrantingSubscription,
  { graceDays }: Pick<BillingPolicy, 'graceDays'>,
): Date | undefined {
  const after = (date: Date) => new Date(date.getTime() + graceDays * dayMs)
  switch (status) {
    case SubscriptionStatus.TRIALING:
    case SubscriptionStatus.ACTIVE:
      return after(latestEnd(items))
    case SubscriptionStatus.PAST_DUE:
      return pastDueSince ? after(pastDueSince) : undefined
    case SubscriptionStatus.UNKNOWN:
      return latestEnd(items)
    case SubscriptionStatus.INCOMPLETE:
    case SubscriptionStatus.INCOMPLETE_EXPIRED:
    case SubscriptionStatus.CANCELED:
    case SubscriptionStatus.UNPAID:
    case SubscriptionStatus.PAUSED:
      return undefined
    default:
      return assertNever(status)
  }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function latestEnd(items: GrantingSubscription['items']): Date {
  return new Date(Math.max(...items.map(({ currentPeriodEnd }) => currentPeriodEnd.getTime())))
}

function add(grants: Grants, feature: string, { limit, expiresAt }: Entitlement): void {
  const known = grants.get(feature)
  if (!known) {
    grants.set(feature, { limit, expiresAt })
    return
  }
  known.limit = known.limit === null || limit === null ? null : known.limit > limit ? known.limit : limit
  known.expiresAt =
    known.expiresAt === null || expiresAt === null
      ? null
      : known.expiresAt > expiresAt
        ? known.expiresAt
        : expiresAt
}
