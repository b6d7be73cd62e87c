import { prismaStore, type BillingStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/client'
import type { PrismaClient } from './billing/generated/sqlite/client.ts'

/** Billing's store in the project's own schema, and somebody who pays. */
export async function openStore(): Promise<{
  store: BillingStore
  accountId: string
  close(): Promise<void>
}> {
  const database = await openDatabase<PrismaClient>(
    {
      sqlite: () => import('./billing/generated/sqlite/client.ts'),
      postgres: () => import('./billing/generated/postgres/client.ts'),
    },
    'file:./billing.db',
  )
  const { id } = await database.client.captain.create({ data: { name: 'Amundsen' } })
  const store = prismaStore(database, { account: { model: 'captain' } })
  return { store, accountId: id, close: () => database.close() }
}
