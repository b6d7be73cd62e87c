import type { Upkeep } from '../store.ts'
import { insertNew, type Scope } from './scope.ts'

export function tasksOf(scope: Scope): Pick<Upkeep, 'beginTask' | 'extendTask' | 'endTask' | 'task'> {
  const { models, write } = scope
  return {
    async beginTask(name, startedAt, leaseUntil) {
      await write(() => insertNew(scope, 'task', [{ name }]))
      const taken = await write(() =>
        models.task.updateMany({
          where: { name, OR: [{ leaseUntil: null }, { leaseUntil: { lt: startedAt } }] },
          data: { startedAt, leaseUntil },
        }),
      )
      return taken.count > 0
    },
    async extendTask(name, from, leaseUntil) {
      const held = { name, leaseUntil: from }
      return (await write(() => models.task.updateMany({ where: held, data: { leaseUntil } }))).count > 0
    },
    async endTask(name, from, result) {
      await write(() =>
        models.task.updateMany({ where: { name, leaseUntil: from }, data: { leaseUntil: null, ...result } }),
      )
    },
    async task(name) {
      return (await models.task.findUnique({ where: { name } })) ?? undefined
    },
  }
}
