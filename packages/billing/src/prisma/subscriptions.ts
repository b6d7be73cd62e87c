import type { Subscriptions } from '../store.ts'
import type { Rows } from './models.ts'
import type { Scope } from './scope.ts'

export function subscriptionsOf({ models, write }: Scope): Subscriptions {
  return {
    async ofCustomer(customerId) {
      return models.subscription.findMany<{ items: Rows['item'][] }>({
        where: { customerId },
        include: { items: { orderBy: { stripeItemId: 'asc' } } },
        orderBy: { stripeSubscriptionId: 'asc' },
      })
    },
    async write(customerId, changes) {
      for (const { stripeSubscriptionId, id: known, state, transition, items: changed } of changes) {
        const id =
          known ??
          (
            await write(() =>
              models.subscription.create({ data: { ...state, customerId, stripeSubscriptionId } }),
            )
          ).id
        if (known !== undefined && state)
          await write(() => models.subscription.update({ where: { id }, data: state }))
        if (transition)
          await write(() => models.transition.create({ data: { ...transition, subscriptionId: id } }))
        if (changed.gone.length > 0)
          await write(() => models.item.deleteMany({ where: { id: { in: changed.gone } } }))
        for (const { id: itemId, ...item } of changed.changed)
          await write(() => models.item.update({ where: { id: itemId }, data: item }))
        for (const item of changed.added)
          await write(() => models.item.create({ data: { ...item, subscriptionId: id } }))
      }
    },
  }
}
