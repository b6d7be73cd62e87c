import { EventStatus } from '../state/statuses.ts'
import type { EventSelection, Upkeep } from '../store.ts'
import type { Rows } from './models.ts'
import type { Scope } from './scope.ts'

/** What stands in the place of a payload that was kept long enough. */
const blankPayload = '{}'

export function upkeepOf({
  models,
  keys,
  write,
}: Scope): Omit<Upkeep, 'beginTask' | 'extendTask' | 'endTask' | 'task'> {
  return {
    async counts(now) {
      const byStatus = await models.event.groupBy({ by: ['status'], _count: true })
      const byStripeStatus = await models.subscription.groupBy({ by: ['stripeStatus'], _count: true })
      const [oldest] = await models.event.findMany({
        where: { status: EventStatus.PENDING },
        orderBy: { receivedAt: 'asc' },
        take: 1,
        select: { receivedAt: true },
      })
      return {
        events: Object.fromEntries(
          Object.values(EventStatus).map((status) => [
            status,
            byStatus.find((row) => row.status === status)?._count ?? 0,
          ]),
        ) as Record<EventStatus, number>,
        oldestPending: oldest?.receivedAt ?? null,
        expiredLeases: await models.event.count({
          where: { status: EventStatus.PROCESSING, leaseUntil: { lt: now } },
        }),
        outbox: {
          waiting: await models.message.count({ where: { sentAt: null, deadAt: null } }),
          sent: await models.message.count({ where: { sentAt: { not: null }, skipped: null } }),
          dead: await models.message.count({ where: { deadAt: { not: null } } }),
          late: await models.message.count({ where: { skipped: 'late' } }),
          baseline: await models.message.count({ where: { skipped: 'baseline' } }),
        },
        subscriptions: Object.fromEntries(
          byStripeStatus.map(({ stripeStatus, _count }) => [stripeStatus, _count]),
        ),
        unexpectedMoves: await models.transition.count({ where: { expected: false } }),
      }
    },
    async dueEvents(receivedBy, now) {
      return models.event.count({
        where: {
          status: EventStatus.PENDING,
          receivedAt: { lte: receivedBy },
          nextAttemptAt: { lte: now },
        },
      })
    },
    async outsidePlans(stripeStatuses, limit) {
      const rows = await models.subscription.findMany<{ customer: Rows['customer']; items: Rows['item'][] }>({
        where: { stripeStatus: { in: stripeStatuses }, items: { none: { planId: { not: null } } } },
        include: { customer: true, items: true },
        orderBy: { startedAt: 'asc' },
        take: limit,
      })
      return rows.map(({ stripeSubscriptionId: subscription, customer, items }) => ({
        accountId: keys.text(customer.accountId),
        subscription,
        prices: items.map(({ stripePriceId }) => stripePriceId),
      }))
    },
    async payingTwice(notRunning, limit) {
      const running = { stripeStatus: { notIn: notRunning } }
      const several = await models.subscription.groupBy({
        by: ['customerId'],
        where: running,
        having: { customerId: { _count: { gt: 1 } } },
        orderBy: { customerId: 'asc' },
        take: limit,
        _count: true,
      })
      if (several.length === 0) return []
      const rows = await models.subscription.findMany<{ customer: Rows['customer'] }>({
        where: { ...running, customerId: { in: several.map(({ customerId }) => customerId) } },
        include: { customer: true },
        orderBy: { startedAt: 'asc' },
      })
      return [...Map.groupBy(rows, ({ customer }) => keys.text(customer.accountId))].map(
        ([accountId, all]) => ({
          accountId,
          subscriptions: all.map(({ stripeSubscriptionId }) => stripeSubscriptionId),
        }),
      )
    },
    async deadLetters(limit) {
      return models.event.findMany({
        where: { status: EventStatus.DEAD },
        orderBy: { receivedAt: 'desc' },
        take: limit,
        select: { stripeEventId: true, type: true, receivedAt: true, attempts: true, lastError: true },
      })
    },
    async requeueEvents(selection, now, dryRun) {
      const where = filterOf(selection)
      if (dryRun) return models.event.count({ where })
      const data = {
        status: EventStatus.PENDING,
        attempts: 0,
        nextAttemptAt: now,
        lastError: null,
        outcome: null,
      }
      return (await write(() => models.event.updateMany({ where, data }))).count
    },
    async requeueMessages(which, now, dryRun) {
      const where = which === 'dead' ? { deadAt: { not: null } } : { skipped: 'late' }
      if (dryRun) return models.message.count({ where })
      const again = { attempts: 0, nextAttemptAt: now, leaseUntil: null }
      const data = which === 'dead' ? { ...again, deadAt: null } : { ...again, sentAt: null, skipped: null }
      return (await write(() => models.message.updateMany({ where, data }))).count
    },
    async blankPayloads(before, dryRun) {
      const where = {
        status: { in: [EventStatus.DONE, EventStatus.IGNORED] },
        receivedAt: { lt: before },
        payload: { not: blankPayload },
      }
      if (dryRun) return models.event.count({ where })
      return (await write(() => models.event.updateMany({ where, data: { payload: blankPayload } }))).count
    },
    async arrivals(since, limit) {
      const rows = await models.event.findMany({
        where: { receivedAt: { gte: since }, customerId: { not: null }, source: 'stripe' },
        orderBy: { receivedAt: 'desc' },
        take: limit,
        select: { customerId: true, receivedAt: true },
      })
      return rows
        .toReversed()
        .map(({ customerId, receivedAt }) => ({ customer: customerId ?? '', at: receivedAt }))
    },
  }
}

function filterOf({ statuses, stripeEventIds, type, since }: EventSelection) {
  return {
    status: { in: statuses },
    ...(stripeEventIds ? { stripeEventId: { in: stripeEventIds } } : {}),
    ...(type === undefined ? {} : { type }),
    ...(since ? { receivedAt: { gte: since } } : {}),
  }
}
