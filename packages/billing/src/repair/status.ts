import { EventStatus, type Database } from '@outgrow/db'

export interface BillingStatus {
  events: Record<EventStatus, number>
  /** When the oldest event that waits was received. */
  oldestPending: Date | null
  /** Events that a worker took and did not finish in time. */
  expiredLeases: number
  outbox: { waiting: number; sent: number; dead: number }
  /** By the status as Stripe writes it. */
  subscriptions: Record<string, number>
  unexpectedMoves: number
  /** Accounts with more than one running subscription. */
  doubleSubscriptions: { accountId: string; subscriptions: string[] }[]
}

/** The state of billing in numbers. */
export async function billingStatus({ client }: Database, now = new Date()): Promise<BillingStatus> {
  const events = await client.webhookEvent.groupBy({ by: ['status'], _count: true })
  const subscriptions = await client.subscription.groupBy({ by: ['stripeStatus'], _count: true })
  const oldest = await client.webhookEvent.findFirst({
    where: { status: EventStatus.PENDING },
    orderBy: { receivedAt: 'asc' },
    select: { receivedAt: true },
  })
  return {
    events: Object.fromEntries(
      Object.values(EventStatus).map((status) => [
        status,
        events.find((e) => e.status === status)?._count ?? 0,
      ]),
    ) as Record<EventStatus, number>,
    oldestPending: oldest?.receivedAt ?? null,
    expiredLeases: await client.webhookEvent.count({
      where: { status: EventStatus.PROCESSING, leaseUntil: { lt: now } },
    }),
    outbox: {
      waiting: await client.outboxMessage.count({ where: { sentAt: null, deadAt: null } }),
      sent: await client.outboxMessage.count({ where: { sentAt: { not: null } } }),
      dead: await client.outboxMessage.count({ where: { deadAt: { not: null } } }),
    },
    subscriptions: Object.fromEntries(
      subscriptions.map(({ stripeStatus, _count }) => [stripeStatus, _count]),
    ),
    unexpectedMoves: await client.subscriptionTransition.count({ where: { expected: false } }),
    doubleSubscriptions: await doubles(client),
  }
}

async function doubles(client: Database['client']): Promise<BillingStatus['doubleSubscriptions']> {
  const running = await client.subscription.findMany({
    where: { stripeStatus: { notIn: ['incomplete', 'incomplete_expired', 'canceled'] } },
    select: { stripeSubscriptionId: true, customer: { select: { accountId: true } } },
    orderBy: { startedAt: 'asc' },
  })
  const byAccount = Map.groupBy(running, ({ customer }) => customer.accountId)
  return [...byAccount]
    .filter(([, all]) => all.length > 1)
    .map(([accountId, all]) => ({ accountId, subscriptions: all.map(({ stripeSubscriptionId: id }) => id) }))
}

/** Events that were given up, the newest first. */
export async function deadLetters({ client }: Database, limit = 100) {
  return client.webhookEvent.findMany({
    where: { status: EventStatus.DEAD },
    orderBy: { receivedAt: 'desc' },
    take: limit,
    omit: { payload: true },
  })
}
