import type { Entitlement } from '../store.ts'
import { assertNever } from '@outgrow/kit'
import type { BillingPolicy } from '../config/policy.ts'
import { statusOf, SubscriptionStatus } from '../state/statuses.ts'
import type { StripeItemState, StripeSubscriptionState, StripeState } from './stripe-state.ts'

/** What an account may use, by feature. */
export type Grants = Map<string, Entitlement>

/** A plan's features by the price that buys it. */
export type FeaturesByPrice = Map<string, Record<string, unknown>>

const dayMs = 86_400_000
/** What a 64-bit column holds. */
const largest = 2n ** 63n - 1n

/**
 * What a customer's subscriptions and plans give. Several add up: the larger limit and the later end count.
 * @param pastDueSince by subscription, when its payment was first seen to be missing
 */
export function grantsOf(
  stripeState: StripeState,
  features: FeaturesByPrice,
  policy: BillingPolicy,
  pastDueSince: ReadonlyMap<string, Date>,
): Grants {
  const grants: Grants = new Map()
  if (stripeState.deleted) return grants
  for (const subscription of stripeState.subscriptions) {
    const until = accessUntil(subscription, policy, pastDueSince.get(subscription.id))
    if (until === undefined) continue
    for (const { priceId, quantity } of subscription.items) {
      for (const [feature, value] of Object.entries(features.get(priceId) ?? {})) {
        const limit = typeof value === 'number' ? smaller(BigInt(value) * BigInt(quantity), largest) : null
        if (value !== false) add(grants, feature, { limit, expiresAt: until })
      }
    }
  }
  // Stripe's own list has no limits: it must not lift a plan's.
  for (const feature of stripeState.features) {
    if (!grants.has(feature)) grants.set(feature, { limit: null, expiresAt: null })
  }
  return grants
}

/** Until when a subscription gives access; undefined when it gives none. */
function accessUntil(
  subscription: StripeSubscriptionState,
  { graceDays }: BillingPolicy,
  pastDueSince: Date | undefined,
): Date | undefined {
  const status = statusOf(subscription.status)
  const after = (date: Date) => new Date(date.getTime() + graceDays * dayMs)
  switch (status) {
    case SubscriptionStatus.TRIALING:
    case SubscriptionStatus.ACTIVE:
      return after(latest(subscription.items, 'currentPeriodEnd'))
    case SubscriptionStatus.PAST_DUE:
      return after(pastDueSince ?? latest(subscription.items, 'currentPeriodStart'))
    case SubscriptionStatus.UNKNOWN:
      return latest(subscription.items, 'currentPeriodEnd')
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

function latest(items: StripeItemState[], end: 'currentPeriodStart' | 'currentPeriodEnd'): Date {
  return new Date(Math.max(...items.map((item) => item[end].getTime())))
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
