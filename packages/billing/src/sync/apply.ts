import { insertIgnore, type Database, type Prisma, type TransactionClient } from '@outgrow/db'
import type { BillingPolicy } from '../config/policy.ts'
import { isExpectedMove } from '../state/moves.ts'
import { isOver, statusOf } from '../state/statuses.ts'
import type { Effect } from './effects.ts'
import { grantsOf, type Grants } from './entitlements.ts'
import type { ItemTruth, SubscriptionTruth, Truth } from './truth.ts'

const withItems = { items: { orderBy: { stripeItemId: 'asc' } } } satisfies Prisma.SubscriptionInclude

type Stored = Prisma.SubscriptionGetPayload<{ include: typeof withItems }>

export interface Application {
  truth: Truth
  policy: BillingPolicy
  /** The event that led to this, for the history. */
  eventId: string | null
  now: Date
}

/** Brings a customer's subscriptions, history and entitlements to what Stripe said. Returns what had been different. */
export async function applyTruth(
  tx: TransactionClient,
  customer: { id: string; accountId: string; email: string | null; deleted: boolean },
  application: Application,
): Promise<string[]> {
  const { truth } = application
  const drift: string[] = []
  if (truth.deleted !== customer.deleted)
    drift.push(`the customer is ${truth.deleted ? 'deleted' : 'not deleted'}`)
  const stored = await tx.subscription.findMany({
    where: { customerId: customer.id },
    include: withItems,
    orderBy: { stripeSubscriptionId: 'asc' },
  })
  const prices = await tx.planPrice.findMany({ include: { plan: true } })
  const planOf = new Map(prices.map(({ stripePriceId, planId }) => [stripePriceId, planId]))
  for (const subscription of truth.subscriptions) {
    const known = stored.find(({ stripeSubscriptionId: id }) => id === subscription.id)
    drift.push(...(await writeSubscription(tx, customer.id, known, subscription, planOf, application)))
  }
  for (const known of stored) {
    if (truth.subscriptions.some(({ id }) => id === known.stripeSubscriptionId)) continue
    drift.push(...(await writeGone(tx, known, application)))
  }
  const features = new Map(
    prices.map(({ stripePriceId, plan }) => [stripePriceId, plan.features as Record<string, unknown>]),
  )
  const grants = grantsOf(truth, features, application.policy, await pastDueSince(tx, truth))
  drift.push(...(await writeGrants(tx, customer.accountId, grants)))
  return drift
}

async function writeSubscription(
  tx: TransactionClient,
  customerId: string,
  known: Stored | undefined,
  truth: SubscriptionTruth,
  planOf: Map<string, string>,
  { eventId, now }: Application,
): Promise<string[]> {
  const data = {
    status: statusOf(truth.status),
    stripeStatus: truth.status,
    cancelAt: truth.cancelAt,
    cancelAtPeriodEnd: truth.cancelAtPeriodEnd,
    trialEnd: truth.trialEnd,
    endedAt: truth.endedAt,
    startedAt: truth.startedAt,
    collectionPaused: truth.collectionPaused,
  }
  const drift: string[] = []
  let id = known?.id
  if (!known) {
    drift.push(`${truth.id} was missing here`)
    const created = await tx.subscription.create({
      data: { ...data, customerId, stripeSubscriptionId: truth.id },
    })
    id = created.id
  } else if (!sameValues(known, data)) {
    drift.push(`${truth.id} was ${known.stripeStatus} here and is ${truth.status} at Stripe`)
    await tx.subscription.update({ where: { id: known.id }, data })
  }
  if (known?.stripeStatus !== truth.status) {
    await tx.subscriptionTransition.create({
      data: {
        subscriptionId: id as string,
        from: known?.stripeStatus ?? null,
        to: truth.status,
        expected: isExpectedMove(known?.status, data.status),
        stripeEventId: eventId,
        observedAt: now,
      },
    })
  }
  const changed = await writeItems(tx, id as string, known?.items ?? [], truth.items, planOf)
  return known && changed ? [...drift, `the items of ${truth.id} differed`] : drift
}

/** A subscription that Stripe no longer lists, as of a customer that was deleted: it is over, and its history stays. */
async function writeGone(
  tx: TransactionClient,
  known: Stored,
  { eventId, now }: Application,
): Promise<string[]> {
  const { id, stripeSubscriptionId, stripeStatus: from } = known
  if (isOver(known.status)) return []
  const to = 'canceled'
  await tx.subscription.update({
    where: { id },
    data: { status: statusOf(to), stripeStatus: to, endedAt: known.endedAt ?? now },
  })
  await tx.subscriptionTransition.create({
    data: { subscriptionId: id, from, to, expected: false, stripeEventId: eventId, observedAt: now },
  })
  return [`${stripeSubscriptionId} no longer exists at Stripe`]
}

/** When each subscription whose payment is missing was first seen so. */
async function pastDueSince(tx: TransactionClient, { subscriptions }: Truth): Promise<Map<string, Date>> {
  const ids = subscriptions.filter(({ status }) => status === 'past_due').map(({ id }) => id)
  if (ids.length === 0) return new Map()
  const moves = await tx.subscriptionTransition.findMany({
    where: { to: 'past_due', subscription: { stripeSubscriptionId: { in: ids } } },
    include: { subscription: { select: { stripeSubscriptionId: true } } },
    orderBy: { id: 'asc' },
  })
  return new Map(moves.map(({ subscription, observedAt }) => [subscription.stripeSubscriptionId, observedAt]))
}

async function writeItems(
  tx: TransactionClient,
  subscriptionId: string,
  stored: Stored['items'],
  items: ItemTruth[],
  planOf: Map<string, string>,
): Promise<boolean> {
  let changed = false
  const gone = stored.filter(({ stripeItemId }) => !items.some(({ id }) => id === stripeItemId))
  if (gone.length > 0) {
    changed = true
    await tx.subscriptionItem.deleteMany({ where: { id: { in: gone.map(({ id }) => id) } } })
  }
  for (const item of items) {
    const data = {
      planId: planOf.get(item.priceId) ?? null,
      stripePriceId: item.priceId,
      quantity: item.quantity,
      currentPeriodEnd: item.currentPeriodEnd,
    }
    const known = stored.find(({ stripeItemId }) => stripeItemId === item.id)
    if (known && sameValues(known, data)) continue
    changed = true
    if (known) await tx.subscriptionItem.update({ where: { id: known.id }, data })
    else await tx.subscriptionItem.create({ data: { ...data, stripeItemId: item.id, subscriptionId } })
  }
  return changed
}

async function writeGrants(tx: TransactionClient, accountId: string, grants: Grants): Promise<string[]> {
  const stored = await tx.entitlement.findMany({ where: { accountId } })
  const drift: string[] = []
  const gone = stored.filter(({ feature }) => !grants.has(feature)).map(({ feature }) => feature)
  if (gone.length > 0) {
    drift.push(`${gone.join(', ')} should not have been granted`)
    await tx.entitlement.deleteMany({ where: { accountId, feature: { in: gone } } })
  }
  for (const [feature, grant] of grants) {
    const known = stored.find((entitlement) => entitlement.feature === feature)
    if (known && sameValues(known, { ...grant })) continue
    drift.push(known ? `${feature} was granted with other terms` : `${feature} was not granted`)
    if (known)
      await tx.entitlement.update({ where: { accountId_feature: { accountId, feature } }, data: grant })
    else await tx.entitlement.create({ data: { accountId, feature, ...grant } })
  }
  return drift
}

/** Writes effects that are not there yet. To be called with the customer's row locked. */
export async function writeEffects(
  database: Database,
  tx: TransactionClient,
  effects: Effect[],
  now: Date,
): Promise<void> {
  if (effects.length === 0) return
  const keys = effects.map(({ key }) => key)
  const known = new Set(
    (await tx.outboxMessage.findMany({ where: { key: { in: keys } }, select: { key: true } })).map(
      ({ key }) => key,
    ),
  )
  const rows = effects
    .filter(({ key }) => !known.has(key))
    .map((effect) => ({ ...effect, createdAt: now, nextAttemptAt: now }))
  if (rows.length > 0) await insertIgnore(database, tx, 'outboxMessage', rows)
}

function sameValues<Row extends object>(row: Row, data: Partial<Row>): boolean {
  return Object.entries(data).every(([name, value]) => {
    const stored = row[name as keyof Row] as unknown
    return stored instanceof Date && value instanceof Date
      ? stored.getTime() === value.getTime()
      : stored === value
  })
}
