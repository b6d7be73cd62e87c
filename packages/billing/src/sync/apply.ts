import type { BillingPolicy } from '../config/policy.ts'
import { isExpectedTransition } from '../state/transitions.ts'
import { isOver, statusOf } from '../state/statuses.ts'
import type {
  BillingTables,
  Customer,
  Entitlement,
  EntitlementChange,
  ItemState,
  StoredSubscription,
  SubscriptionChange,
  SubscriptionState,
} from '../store.ts'
import { grantsOf } from './entitlements.ts'
import type { StripeItemState, StripeSubscriptionState, StripeState } from './stripe-state.ts'

export interface Application {
  stripeState: StripeState
  policy: BillingPolicy
  /** The event that led to this, for the history. */
  eventId: string | null
  now: Date
}

/** A change with what is different, in words. */
interface Difference {
  change: SubscriptionChange
  drift: string[]
}

/** Brings a customer's subscriptions, history and entitlements to what Stripe said. Returns what had been different. */
export async function applyStripeState(
  tx: BillingTables,
  customer: Customer,
  application: Application,
): Promise<string[]> {
  const { stripeState, policy } = application
  const drift: string[] = []
  if (stripeState.deleted !== customer.deleted)
    drift.push(`the customer is ${stripeState.deleted ? 'deleted' : 'not deleted'}`)
  const stored = await tx.subscriptions.ofCustomer(customer.id)
  const prices = await tx.access.prices()
  const planOf = new Map(prices.map(({ stripePriceId, planId }) => [stripePriceId, planId]))
  const differences = [
    ...stripeState.subscriptions.map((subscription) => {
      const known = stored.find(({ stripeSubscriptionId: id }) => id === subscription.id)
      return differenceOf(known, subscription, planOf, application)
    }),
    ...stored
      .filter(
        ({ stripeSubscriptionId }) =>
          !stripeState.subscriptions.some(({ id }) => id === stripeSubscriptionId),
      )
      .map((known) => goneOf(known, application)),
  ].filter((difference) => difference !== undefined)
  await tx.subscriptions.write(
    customer.id,
    differences.map(({ change }) => change),
  )
  drift.push(...differences.flatMap((difference) => difference.drift))
  const features = new Map(prices.map((price) => [price.stripePriceId, price.features]))
  const owing = stripeState.subscriptions.filter(({ status }) => status === 'past_due').map(({ id }) => id)
  const grants = grantsOf(stripeState, features, policy, await tx.subscriptions.pastDueSince(owing))
  return [...drift, ...(await writeGrants(tx, customer.accountId, grants))]
}

/** What is to be written of a subscription; undefined when it is as Stripe has it. */
function differenceOf(
  known: StoredSubscription | undefined,
  stripeState: StripeSubscriptionState,
  planOf: ReadonlyMap<string, string>,
  { eventId, now }: Application,
): Difference | undefined {
  const state: SubscriptionState = {
    status: statusOf(stripeState.status),
    stripeStatus: stripeState.status,
    cancelAt: stripeState.cancelAt,
    cancelAtPeriodEnd: stripeState.cancelAtPeriodEnd,
    trialEnd: stripeState.trialEnd,
    endedAt: stripeState.endedAt,
    startedAt: stripeState.startedAt,
    collectionPaused: stripeState.collectionPaused,
  }
  const isSame = known !== undefined && sameValues(known, state)
  const items = itemChanges(known?.items ?? [], stripeState.items, planOf)
  const itemsDiffer = items.gone.length + items.changed.length + items.added.length > 0
  if (isSame && !itemsDiffer) return undefined
  const moved = known?.stripeStatus !== stripeState.status
  const drift = [
    ...(known ? [] : [`${stripeState.id} was missing here`]),
    ...(known && !isSame
      ? [`${stripeState.id} was ${known.stripeStatus} here and is ${stripeState.status} at Stripe`]
      : []),
    ...(known && itemsDiffer ? [`the items of ${stripeState.id} differed`] : []),
  ]
  const transition = {
    from: known?.stripeStatus ?? null,
    to: stripeState.status,
    expected: isExpectedTransition(known?.status, state.status),
    stripeEventId: eventId,
    observedAt: now,
  }
  const change = {
    stripeSubscriptionId: stripeState.id,
    id: known?.id,
    state: isSame ? undefined : state,
    transition: moved ? transition : undefined,
    items,
  }
  return { change, drift }
}

/** A subscription that Stripe no longer lists, as of a customer that was deleted: it is over, and its history stays. */
function goneOf(known: StoredSubscription, { eventId, now }: Application): Difference | undefined {
  if (isOver(known.status)) return undefined
  const { id, stripeSubscriptionId, stripeStatus: from } = known
  const to = 'canceled'
  return {
    change: {
      stripeSubscriptionId,
      id,
      state: { status: statusOf(to), stripeStatus: to, endedAt: known.endedAt ?? now },
      transition: { from, to, expected: false, stripeEventId: eventId, observedAt: now },
      items: { gone: [], changed: [], added: [] },
    },
    drift: [`${stripeSubscriptionId} no longer exists at Stripe`],
  }
}

function itemChanges(
  stored: StoredSubscription['items'],
  items: readonly StripeItemState[],
  planOf: ReadonlyMap<string, string>,
): SubscriptionChange['items'] {
  const known = new Map(stored.map((item) => [item.stripeItemId, item]))
  const wanted = items.map((item): ItemState => ({
    stripeItemId: item.id,
    planId: planOf.get(item.priceId) ?? null,
    stripePriceId: item.priceId,
    quantity: item.quantity,
    currentPeriodEnd: item.currentPeriodEnd,
  }))
  return {
    gone: stored
      .filter(({ stripeItemId }) => !items.some(({ id }) => id === stripeItemId))
      .map(({ id }) => id),
    changed: wanted.flatMap((item) => {
      const before = known.get(item.stripeItemId)
      return before && !sameValues(before, item) ? [{ ...item, id: before.id }] : []
    }),
    added: wanted.filter(({ stripeItemId }) => !known.has(stripeItemId)),
  }
}

async function writeGrants(
  { access }: BillingTables,
  accountId: string,
  grants: ReadonlyMap<string, Entitlement>,
): Promise<string[]> {
  const stored = await access.entitlements(accountId)
  const revoked = [...stored.keys()].filter((feature) => !grants.has(feature))
  const granted = new Map([...grants].filter(([feature]) => !stored.has(feature)))
  const changed = new Map(
    [...grants].filter(([feature, grant]) => {
      const known = stored.get(feature)
      return known !== undefined && !sameValues(known, grant)
    }),
  )
  const change: EntitlementChange = { granted, changed, revoked }
  if (granted.size + changed.size + revoked.length === 0) return []
  await access.writeEntitlements(accountId, change)
  return [
    ...(revoked.length > 0 ? [`${revoked.join(', ')} should not have been granted`] : []),
    ...[...changed.keys()].map((feature) => `${feature} was granted with other terms`),
    ...[...granted.keys()].map((feature) => `${feature} was not granted`),
  ]
}

function sameValues<Row extends object>(row: Row, data: Partial<Row>): boolean {
  return Object.entries(data).every(([name, value]) => {
    const stored = row[name as keyof Row] as unknown
    return stored instanceof Date && value instanceof Date
      ? stored.getTime() === value.getTime()
      : stored === value
  })
}
