import { EventStatus, type Database, type Prisma } from '@outgrow/db'

export interface ReplaySelection {
  /** Stripe's event ids. */
  ids?: string[] | undefined
  type?: string | undefined
  since?: Date | undefined
  /** Only those that were given up. */
  dead?: boolean | undefined
}

/** Puts events back into the queue. They are synchronised from Stripe, so a repeat does no harm. Returns how many. */
export async function replay(
  { client }: Database,
  selection: ReplaySelection,
  dryRun = false,
): Promise<number> {
  const where: Prisma.WebhookEventWhereInput = {
    status: {
      in: selection.dead ? [EventStatus.DEAD] : [EventStatus.DEAD, EventStatus.DONE, EventStatus.IGNORED],
    },
    ...(selection.ids ? { stripeEventId: { in: selection.ids } } : {}),
    ...(selection.type === undefined ? {} : { type: selection.type }),
    ...(selection.since ? { receivedAt: { gte: selection.since } } : {}),
  }
  if (dryRun) return client.webhookEvent.count({ where })
  const { count } = await client.webhookEvent.updateMany({
    where,
    data: {
      status: EventStatus.PENDING,
      attempts: 0,
      nextAttemptAt: new Date(),
      lastError: null,
      outcome: null,
    },
  })
  return count
}

/** Lets outbox messages that were given up be sent again. Returns how many. */
export async function replayOutbox({ client }: Database, dryRun = false): Promise<number> {
  const where = { deadAt: { not: null } }
  if (dryRun) return client.outboxMessage.count({ where })
  const data = { deadAt: null, attempts: 0, nextAttemptAt: new Date(), leaseUntil: null }
  return (await client.outboxMessage.updateMany({ where, data })).count
}
