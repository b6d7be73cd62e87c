import { isRunning } from '@outgrow/billing'
import { SubscriptionStatus, type Database, type Prisma } from '@outgrow/db'
import { assertNever } from '@outgrow/kit'
import { day } from '../money.ts'

export type ShownSubscription = Prisma.SubscriptionGetPayload<{
  include: { items: { include: { plan: true } } }
}>

/** The subscription that runs, as it is stored: what is done to it is done to the oldest. Or the newest that has ended. */
export async function subscriptionOf(
  { client }: Pick<Database, 'client'>,
  accountId: string,
): Promise<ShownSubscription | null> {
  const subscriptions = await client.subscription.findMany({
    where: { customer: { accountId } },
    orderBy: { startedAt: 'desc' },
    include: { items: { include: { plan: true } } },
  })
  return subscriptions.findLast(({ status }) => isRunning(status)) ?? subscriptions[0] ?? null
}

/** The plan and how many of it; undefined for one that is none of ours, and for one that has ended. */
export function planOf(
  subscription: ShownSubscription | null,
): { id: string; name: string; seats: number } | undefined {
  if (subscription === null || subscription.endedAt !== null) return undefined
  const item = subscription.items.find(({ plan }) => plan)
  return item?.plan ? { id: item.plan.id, name: item.plan.name, seats: item.quantity } : undefined
}

export function isEnding({ cancelAtPeriodEnd, cancelAt }: ShownSubscription): boolean {
  return cancelAtPeriodEnd || cancelAt !== null
}

/** Whether plan and seats can be changed now. */
export function isChangeable(subscription: ShownSubscription): boolean {
  const { status, collectionPaused } = subscription
  const runs = status === SubscriptionStatus.ACTIVE || status === SubscriptionStatus.TRIALING
  return runs && !collectionPaused && !isEnding(subscription) && planOf(subscription) !== undefined
}

/** Where a subscription stands, in a sentence. */
export function stateText(subscription: ShownSubscription): string {
  const [end] = subscription.items.map(({ currentPeriodEnd }) => currentPeriodEnd).toSorted((a, b) => +a - +b)
  if (subscription.endedAt !== null) return `It ended on ${day(subscription.endedAt)}.`
  if (isEnding(subscription))
    return `Canceled. It ends on ${day(subscription.cancelAt ?? end)}; until then everything stays the same.`
  switch (subscription.status) {
    case SubscriptionStatus.TRIALING:
      return `On trial until ${day(subscription.trialEnd)}.`
    case SubscriptionStatus.ACTIVE:
      if (subscription.collectionPaused) return 'Active. Nothing is charged at the moment.'
      return `Active. It renews on ${day(end)}.`
    case SubscriptionStatus.PAST_DUE:
    case SubscriptionStatus.UNPAID:
      return 'The last payment did not go through.'
    case SubscriptionStatus.PAUSED:
      return 'Paused. Nothing is charged until you resume it.'
    case SubscriptionStatus.INCOMPLETE:
      return 'The first payment is not complete.'
    case SubscriptionStatus.CANCELED:
    case SubscriptionStatus.INCOMPLETE_EXPIRED:
    case SubscriptionStatus.UNKNOWN:
      return `Status at Stripe: ${subscription.stripeStatus}.`
    default:
      return assertNever(subscription.status)
  }
}
