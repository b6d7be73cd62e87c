import type { DatabaseCounters } from '@outgrow/databases'
import type { PrismaClientShape } from './prisma-client.ts'

/**
 * One open database. The type is that of the SQLite client on both databases, so that what compiles works on both,
 * and what only Postgres knows (`mode`, `skipDuplicates`, isolation levels) does not compile.
 */
export interface Database<Client extends PrismaClientShape = PrismaClientShape> {
  readonly provider: 'sqlite' | 'postgres'
  /** A handle over the client of now: it may be kept. */
  readonly client: Client
  /** What the database has met since it was opened. */
  counters(): DatabaseCounters
  /** Lets open transactions end, then closes. */
  close(): Promise<void>
}
