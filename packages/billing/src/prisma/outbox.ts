import type { MessagePayload, Outbox } from '../store.ts'
import { insertNew, type Scope } from './scope.ts'
import { lease, outboxQueue } from './sql/lease.ts'

export function outboxOf(scope: Scope): Outbox {
  const { models, write } = scope
  return {
    async put(wanted, now) {
      if (wanted.length === 0) return
      const there = await models.message.findMany({
        where: { key: { in: wanted.map(({ key }) => key) } },
        select: { key: true },
      })
      const known = new Set(there.map(({ key }) => key))
      const rows = wanted
        .filter(({ key }) => !known.has(key))
        .map(({ key, topic, payload, skipped }) => ({
          key,
          topic,
          payload,
          createdAt: now,
          nextAttemptAt: now,
          sentAt: skipped === undefined ? null : now,
          skipped: skipped ?? null,
        }))
      if (rows.length === 0) return
      await insertNew(scope, 'message', rows)
      scope.wake()
    },
    async lease(request) {
      const ids = await lease(scope, outboxQueue, request)
      if (ids.length === 0) return []
      const rows = await models.message.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } })
      return rows.map(({ id, attempts, key, topic, payload }) => ({
        id,
        attempts,
        key,
        topic,
        payload: payload as MessagePayload,
      }))
    },
    async settle({ id }, at) {
      await write(() =>
        models.message.updateMany({
          where: { id, sentAt: null },
          data: { sentAt: at, leaseUntil: null, lastError: null },
        }),
      )
    },
    async postpone({ id, attempts }, until, error) {
      await write(() =>
        models.message.updateMany({
          where: { id, attempts, sentAt: null },
          data: { nextAttemptAt: until, lastError: error, leaseUntil: null },
        }),
      )
    },
    async bury({ id, attempts }, at, error) {
      await write(() =>
        models.message.updateMany({
          where: { id, attempts, sentAt: null },
          data: { deadAt: at, lastError: error, leaseUntil: null },
        }),
      )
    },
  }
}
