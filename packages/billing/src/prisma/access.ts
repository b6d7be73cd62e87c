import type { Access } from '../store.ts'
import type { Scope } from './scope.ts'
import { lockPlans } from './sql/lock.ts'
import { readPrices } from './sql/read-prices.ts'

export function accessOf(scope: Scope): Access {
  const { models, keys, write } = scope
  return {
    async entitlement(accountId, feature) {
      const key = { accountId: keys.stored(accountId), feature }
      return (await models.entitlement.findUnique({ where: { accountId_feature: key } })) ?? undefined
    },
    async entitlements(accountId) {
      const rows = await models.entitlement.findMany({ where: { accountId: keys.stored(accountId) } })
      return new Map(rows.map(({ feature, limit, expiresAt }) => [feature, { limit, expiresAt }]))
    },
    async writeEntitlements(account, { granted, changed, revoked }) {
      const accountId = keys.stored(account)
      if (revoked.length > 0)
        await write(() => models.entitlement.deleteMany({ where: { accountId, feature: { in: revoked } } }))
      for (const [feature, grant] of changed)
        await write(() =>
          models.entitlement.update({ where: { accountId_feature: { accountId, feature } }, data: grant }),
        )
      if (granted.size > 0)
        await write(() =>
          models.entitlement.createMany({
            data: [...granted].map(([feature, grant]) => ({ accountId, feature, ...grant })),
          }),
        )
    },
    async plan(id) {
      const row = await models.plan.findUnique({ where: { id } })
      if (!row) return undefined
      const { name, price: amount, currency, features, active, stripePriceId } = row
      return { id, name, amount, currency, features: featuresOf(features), active, stripePriceId }
    },
    prices: () => readPrices(scope),
    async heldPrices() {
      await lockPlans(scope, 'reader')
      return readPrices(scope)
    },
    async writePlans(sold) {
      await lockPlans(scope, 'writer')
      await models.plan.updateMany({ data: { stripePriceId: null } }) // prices may have changed places
      for (const { id, amount, ...plan } of sold) {
        const data = { ...plan, price: amount }
        await models.plan.upsert({ where: { id }, create: { id, ...data }, update: data })
        if (plan.stripePriceId === null) continue
        await models.planPrice.upsert({
          where: { stripePriceId: plan.stripePriceId },
          create: { stripePriceId: plan.stripePriceId, planId: id },
          update: { planId: id },
        })
      }
      await models.plan.updateMany({
        where: { id: { notIn: sold.map(({ id }) => id) } },
        data: { active: false },
      })
    },
    async markChanged(stripePriceIds, changedAt) {
      await models.planPrice.updateMany({
        where: { stripePriceId: { in: stripePriceIds } },
        data: { changedAt },
      })
    },
    async markGranted(prices) {
      for (const { stripePriceId, changedAt } of prices)
        await write(() =>
          models.planPrice.updateMany({ where: { stripePriceId, changedAt }, data: { changedAt: null } }),
        )
    },
    async changedPrices() {
      const rows = await models.planPrice.findMany({ where: { changedAt: { not: null } } })
      return rows.flatMap(({ stripePriceId, changedAt }) => (changedAt ? [{ stripePriceId, changedAt }] : []))
    },
  }
}

function featuresOf(stored: unknown): Record<string, unknown> {
  return (stored ?? {}) as Record<string, unknown>
}
