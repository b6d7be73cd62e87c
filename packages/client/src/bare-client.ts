import { stockSqliteAdapter } from '@outgrow/databases'
import { PrismaClient } from './generated/sqlite/client.ts'

/** Prisma's client over its stock adapter, without the facade's guarantees: what the bench compares with. */
export async function openBareClient(path: string): Promise<PrismaClient> {
  const client = new PrismaClient({ adapter: stockSqliteAdapter(path) })
  await client.$connect()
  return client
}
