import type { EventHooks, HookedEvent } from '@outgrow/billing'
import type { PrismaClient } from '@outgrow/sample'

type Tx = Pick<PrismaClient, 'billingCustomer' | 'logEntry'>

export const onEvent: EventHooks<Tx> = {
  'invoice.upcoming': {
    outbox: ({ customerId, payload }) => [
      { topic: 'renewal.soon', key: `${customerId}:${dueAt(payload)}`, data: { dueAt: dueAt(payload) } },
    ],
  },
  'invoice.paid': {
    async inTransaction(tx, { customerId, objectId, account }) {
      if (customerId === null || account !== null) return
      const customer = await tx.billingCustomer.findUnique({ where: { stripeCustomerId: customerId } })
      if (!customer) return
      await tx.logEntry.create({
        data: { accountId: customer.accountId, actor: 'stripe', action: `paid ${objectId}` },
      })
    },
  },
}

function dueAt(payload: HookedEvent['payload']): number | undefined {
  return (payload as { data?: { object?: { period_end?: number } } }).data?.object?.period_end
}
