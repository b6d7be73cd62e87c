import {
  openDatabase as open,
  type Database as AnyDatabase,
  type DatabaseOptions,
  type TransactionClient as InTransaction,
} from '@outgrow/client'
import { clients } from './clients.ts'
import type { PrismaClient } from './generated/sqlite/client.ts'

export * from '@outgrow/client'
export { Prisma, type PrismaClient } from './generated/sqlite/client.ts'
export * from './generated/sqlite/enums.ts'

/** This project's database: its own models on both providers. */
export type Database = AnyDatabase<PrismaClient>

/** The client inside an interactive transaction. */
export type TransactionClient = InTransaction<PrismaClient>

/** Opens `file:./app.db` or `postgresql://…`; see `@outgrow/client`. */
export function openDatabase(url: string, options?: DatabaseOptions): Promise<Database> {
  return open<PrismaClient>(clients, url, options)
}
