import type { BillingPolicy } from '../config/policy.ts'
import { isExpectedTransition } from '../state/transitions.ts'
import { isOver, statusOf, SubscriptionStatus } from '../state/statuses.ts'
import type {
  BillingTables,
  Customer,
  ItemState,
  StoredSubscription,
  SubscriptionChange,
  SubscriptionState,
} from '../store.ts'
import { grantsOf } from './entitlements.ts'
import { sameValues } from './same-values.ts'
import type { StripeItemState, StripeSubscriptionState, StripeState } from './stripe-state.ts'
import { writeGrants } from './write-grants.ts'

export interface Application {
  stripeState: StripeState
  policy: BillingPolicy
  /** The event that led to this, for the history. */
  eventId: string | null
  now: Date
}

export interface Applied {
  /** What had been different, in words. */
  drift: string[]
  /** Subscriptions that Stripe no longer lists, and when they ended. */
  gone: { id: string; endedAt: Date }[]
}

/** A change with what is different, in words. */
interface Difference {
  change: SubscriptionChange
  drift: string[]
}

/** Brings a customer's subscriptions, history and entitlements to what Stripe said. */
export async function applyStripeState(
  tx: BillingTables,
  customer: Customer,
  application: Application,
): Promise<Applied> {
  const { stripeState, policy } = application
  const drift: string[] = []
  if (stripeState.deleted !== customer.deleted)
    drift.push(`the customer is ${stripeState.deleted ? 'deleted' : 'not deleted'}`)
  const stored = await tx.subscriptions.ofCustomer(customer.id)
  const prices = await tx.access.heldPrices()
  const planOf = new Map(prices.map(({ stripePriceId, planId }) => [stripePriceId, planId]))
  const listed = stripeState.subscriptions.map((subscription) => {
    const known = stored.find(({ stripeSubscriptionId: id }) => id === subscription.id)
    return { known, subscription, state: stateOf(known, subscription) }
  })
  const there = new Set(stripeState.subscriptions.map(({ id }) => id))
  const gone = stored
    .filter(({ stripeSubscriptionId }) => !there.has(stripeSubscriptionId))
    .map((known) => goneOf(known, application))
    .filter((difference) => difference !== undefined)
  const differences = [
    ...listed
      .map((one) => differenceOf(one, planOf, customer.baselineAt, application))
      .filter((difference) => difference !== undefined),
    ...gone,
  ]
  await tx.subscriptions.write(
    customer.id,
    differences.map(({ change }) => change),
  )
  drift.push(...differences.flatMap((difference) => difference.drift))
  const features = new Map(prices.map((price) => [price.stripePriceId, price.features]))
  const granting = listed.map(({ state, subscription: { items } }) => ({
    ...state,
    items: items.map(({ priceId, ...item }) => ({ ...item, stripePriceId: priceId })),
  }))
  const grants = stripeState.deleted
    ? new Map<string, never>()
    : grantsOf(granting, features, policy, stripeState.features)
  drift.push(...(await writeGrants(tx, customer.accountId, grants)))
  return {
    drift,
    gone: gone.map(({ change }) => ({
      id: change.stripeSubscriptionId,
      endedAt: change.state?.endedAt ?? application.now,
    })),
  }
}

interface Listed {
  known: StoredSubscription | undefined
  subscription: StripeSubscriptionState
  state: SubscriptionState
}

function stateOf(
  known: StoredSubscription | undefined,
  subscription: StripeSubscriptionState,
): SubscriptionState {
  const { cancelAt, cancelAtPeriodEnd, trialEnd, endedAt, startedAt, collectionPaused } = subscription
  const status = statusOf(subscription.status)
  return {
    status,
    stripeStatus: subscription.status,
    cancelAt,
    cancelAtPeriodEnd,
    trialEnd,
    endedAt,
    startedAt,
    collectionPaused,
    pastDueSince: status === SubscriptionStatus.PAST_DUE ? pastDueSince(known, subscription) : null,
  }
}

/** Stripe's oldest open invoice says it. Where it has none, what was seen before, or the period that is not paid. */
function pastDueSince(
  known: StoredSubscription | undefined,
  { owedSince, items }: StripeSubscriptionState,
): Date {
  const periods = items.map(({ currentPeriodStart }) => currentPeriodStart.getTime())
  return owedSince ?? known?.pastDueSince ?? new Date(Math.max(...periods))
}

/** What is to be written of a subscription; undefined when it is as Stripe has it. */
function differenceOf(
  { known, subscription, state }: Listed,
  planOf: ReadonlyMap<string, string>,
  baselineAt: Date,
  { eventId, now }: Application,
): Difference | undefined {
  const { id: stripeSubscriptionId, status } = subscription
  const isSame = known !== undefined && sameValues(known, state)
  const items = itemChanges(known?.items ?? [], subscription.items, planOf)
  const itemsDiffer = items.gone.length + items.changed.length + items.added.length > 0
  if (isSame && !itemsDiffer) return undefined
  const moved = known?.stripeStatus !== status
  const drift = [
    ...(known ? [] : [`${stripeSubscriptionId} was missing here`]),
    ...(known && !isSame ? [differenceText(known, subscription)] : []),
    ...(known && itemsDiffer ? [`the items of ${stripeSubscriptionId} differed`] : []),
  ]
  // What began before the customer came here was not seen to begin: it may be in any state.
  const isFirstLook = known === undefined && subscription.createdAt < baselineAt
  const transition = {
    from: known?.stripeStatus ?? null,
    to: status,
    expected: isFirstLook || isExpectedTransition(known?.status, state.status),
    stripeEventId: eventId,
    observedAt: now,
  }
  const change = {
    stripeSubscriptionId,
    id: known?.id,
    state: isSame ? undefined : state,
    transition: moved ? transition : undefined,
    items,
  }
  return { change, drift }
}

function differenceText(known: StoredSubscription, { id, status }: StripeSubscriptionState): string {
  return known.stripeStatus === status
    ? `the terms of ${id} differed`
    : `${id} was ${known.stripeStatus} here and is ${status} at Stripe`
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
      state: { status: statusOf(to), stripeStatus: to, endedAt: known.endedAt ?? now, pastDueSince: null },
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
