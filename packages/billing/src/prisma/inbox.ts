import { EventStatus } from '../state/statuses.ts'
import type { Inbox, Leased } from '../store.ts'
import { insertEvents, maxReportedRows } from './sql/insert-events.ts'
import { leaseEvents } from './sql/lease-events.ts'
import type { Scope } from './scope.ts'

export function inboxOf(scope: Scope): Inbox {
  const { models, write } = scope
  /** Their leases are still held: nobody has taken the events since. */
  const held = (leased: readonly Leased[]) => ({
    status: EventStatus.PROCESSING,
    OR: [...Map.groupBy(leased, ({ attempts }) => attempts)].map(([attempts, same]) => ({
      attempts,
      id: { in: same.map(({ id }) => id) },
    })),
  })
  return {
    async store(incoming) {
      const fresh = new Set<string>()
      for (let at = 0; at < incoming.length; at += maxReportedRows) {
        const some = incoming.slice(at, at + maxReportedRows)
        for (const id of await write(() => insertEvents(scope, some))) fresh.add(id)
      }
      if (fresh.size > 0) scope.wake()
      return fresh
    },
    async known(stripeEventIds) {
      const rows = await models.event.findMany({
        where: { stripeEventId: { in: stripeEventIds } },
        select: { stripeEventId: true },
      })
      return new Set(rows.map(({ stripeEventId }) => stripeEventId))
    },
    async lease(request) {
      const ids = await leaseEvents(scope, request)
      if (ids.length === 0) return []
      const rows = await models.event.findMany({
        where: { id: { in: ids } },
        orderBy: { id: 'asc' },
        select: {
          id: true,
          attempts: true,
          stripeEventId: true,
          type: true,
          objectId: true,
          customerId: true,
          stripeAccountId: true,
          stripeCreatedAt: true,
          receivedAt: true,
          livemode: true,
          awaitsHook: true,
        },
      })
      return rows.map(({ customerId, ...event }) => ({ ...event, stripeCustomerId: customerId }))
    },
    async firstAbout(stripeCustomerId) {
      const [first] = await models.event.findMany({
        where: {
          customerId: stripeCustomerId,
          stripeAccountId: null,
          source: 'stripe',
          stripeCreatedAt: { not: null },
        },
        orderBy: { stripeCreatedAt: 'asc' },
        take: 1,
        select: { stripeCreatedAt: true },
      })
      return first?.stripeCreatedAt ?? undefined
    },
    async requeueIgnored(stripeCustomerId, now) {
      await write(() =>
        models.event.updateMany({
          where: { customerId: stripeCustomerId, stripeAccountId: null, status: EventStatus.IGNORED },
          data: { status: EventStatus.PENDING, attempts: 0, nextAttemptAt: now, outcome: null },
        }),
      )
    },
    async settle(leased, { status, outcome, at, hookRan }) {
      const { count } = await write(() =>
        models.event.updateMany({
          where: held(leased),
          data: {
            status,
            outcome,
            lastError: null,
            processedAt: at,
            leaseUntil: null,
            ...(hookRan && { awaitsHook: false }),
          },
        }),
      )
      return count
    },
    async payload({ id }) {
      return (await models.event.findUniqueOrThrow({ where: { id } })).payload
    },
    async postpone(leased, until, error) {
      await write(() =>
        models.event.updateMany({
          where: held(leased),
          data: { status: EventStatus.PENDING, nextAttemptAt: until, lastError: error, leaseUntil: null },
        }),
      )
    },
    async release(leased, until, reason) {
      await write(() =>
        models.event.updateMany({
          where: held(leased),
          data: {
            status: EventStatus.PENDING,
            attempts: { increment: -1 },
            nextAttemptAt: until,
            lastError: reason,
            leaseUntil: null,
          },
        }),
      )
    },
    async assign(leased, customerId) {
      await write(() =>
        models.event.updateMany({
          where: held(leased),
          data: {
            status: EventStatus.PENDING,
            attempts: { increment: -1 },
            customerId,
            leaseUntil: null,
          },
        }),
      )
    },
    async bury(leased, error) {
      await write(() =>
        models.event.updateMany({
          where: held(leased),
          data: { status: EventStatus.DEAD, lastError: error, leaseUntil: null },
        }),
      )
    },
  }
}
