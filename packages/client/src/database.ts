import type { DatabaseCounters } from '@outgrow/databases'
import type { PrismaClient } from './generated/sqlite/client.ts'

/** The client inside an interactive transaction. */
export type TransactionClient = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

/**
 * One open database. The type is that of the SQLite client on both databases, so that what compiles works on both,
 * and what only Postgres knows (`mode`, `skipDuplicates`, isolation levels) does not compile.
 */
export interface Database {
  readonly provider: 'sqlite' | 'postgres'
  readonly client: PrismaClient
  /** What the database has met since it was opened. */
  counters(): DatabaseCounters
  /** Lets open transactions end, then closes. */
  close(): Promise<void>
}
