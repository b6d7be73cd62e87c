import type { UnlinkedPayers } from '../store.ts'
import type { Rows } from './models.ts'
import { insertNew, type Scope } from './scope.ts'

export function unlinkedOf(scope: Scope): UnlinkedPayers {
  const { models, write } = scope
  return {
    async put({ stripeCustomerId, subscriptions }, foundAt) {
      const row = { stripeCustomerId, subscriptions, foundAt }
      const isNew = await write(() => insertNew(scope, 'unlinked', [row]))
      if (isNew > 0) return
      await write(() => models.unlinked.updateMany({ where: { stripeCustomerId }, data: { subscriptions } }))
    },
    async remove(stripeCustomerIds) {
      if (stripeCustomerIds.length === 0) return
      await write(() =>
        models.unlinked.deleteMany({
          where: { stripeCustomerId: { in: stripeCustomerIds }, ignoredAt: null },
        }),
      )
    },
    async ignore(stripeCustomerId, ignoredAt) {
      const row = { stripeCustomerId, subscriptions: [], foundAt: ignoredAt }
      await write(() => insertNew(scope, 'unlinked', [row]))
      await write(() => models.unlinked.updateMany({ where: { stripeCustomerId }, data: { ignoredAt } }))
    },
    async ignored(stripeCustomerIds) {
      const rows = await models.unlinked.findMany({
        where: { stripeCustomerId: { in: stripeCustomerIds }, ignoredAt: { not: null } },
        select: { stripeCustomerId: true },
      })
      return new Set(rows.map((row) => row.stripeCustomerId))
    },
    async list(limit) {
      const rows = await models.unlinked.findMany({
        where: { ignoredAt: null },
        orderBy: { foundAt: 'asc' },
        take: limit,
      })
      return rows.map(payerOf)
    },
  }
}

function payerOf({ stripeCustomerId, subscriptions, foundAt }: Rows['unlinked']) {
  return { stripeCustomerId, subscriptions: subscriptions as string[], foundAt }
}
