import { EventStatus } from '../state/statuses.ts'
import type { Inbox, Leased } from '../store.ts'
import { insertEvents, maxReportedRows } from './sql/insert-events.ts'
import { inboxQueue, lease } from './sql/lease.ts'
import type { Scope } from './scope.ts'

export function inboxOf(scope: Scope): Inbox {
  const { models, write } = scope
  /** The lease is still held: nobody has taken the event since. */
  const held = ({ id, attempts }: Leased) => ({ id, attempts, status: EventStatus.PROCESSING })
  return {
    async store(incoming) {
      const fresh = new Set<string>()
      for (let at = 0; at < incoming.length; at += maxReportedRows) {
        const some = incoming.slice(at, at + maxReportedRows)
        for (const id of await write(() => insertEvents(scope, some))) fresh.add(id)
      }
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
      const ids = await lease(scope, inboxQueue, request)
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
        },
      })
      return rows.map(({ customerId, ...event }) => ({ ...event, stripeCustomerId: customerId }))
    },
    async settle(leased, { status, outcome, at }) {
      await write(() =>
        models.event.updateMany({
          where: { OR: leased.map(held) },
          data: { status, outcome, lastError: null, processedAt: at, leaseUntil: null },
        }),
      )
    },
    async postpone(leased, until, error) {
      await write(() =>
        models.event.updateMany({
          where: held(leased),
          data: { status: EventStatus.PENDING, nextAttemptAt: until, lastError: error, leaseUntil: null },
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
