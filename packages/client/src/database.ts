import type { DatabaseCounters, Provider } from '@outgrow/databases'
import type { PrismaClientShape } from './prisma-client.ts'

/**
 * One open database. The type is that of the SQLite client on both databases, so that what compiles works on both,
 * and what only Postgres knows (`mode`, `skipDuplicates`, isolation levels) does not compile.
 */
export interface Database<Client extends PrismaClientShape = PrismaClientShape> {
  /** Inside a transaction's callback, that of the transaction. */
  readonly provider: Provider
  /** A handle over the client of now: it may be kept. */
  readonly client: Client
  /** The URL of the database of now. It holds secrets. */
  readonly url: string
  /**
   * The URL of the database of now for what needs a session of its own, such as LISTEN, an advisory lock that outlives its
   * transaction or pg_dump: past a pooler where the application named one, else `url`. The facade itself needs none.
   */
  readonly directUrl: string
  /**
   * Runs one operation that is written for one provider, such as raw SQL. When the application moves to the other database
   * while it waits, it has done nothing, and is made again for that one.
   */
  perProvider<Result>(make: (at: ProviderClient<Client>) => PromiseLike<Result>): Promise<Result>
  /** Hears of each switch between the two databases that this process has followed. Returns what ends that. */
  on(event: 'switched', listener: (event: Switched) => void): () => void
  /** What the database has met since it was opened. */
  counters(): DatabaseCounters
  /** Lets open transactions end, then closes. */
  close(): Promise<void>
}

/** What one operation is made with. */
export interface ProviderClient<Client> {
  provider: Provider
  client: Client
}

/** A switch that was followed: where operations go since then, and which one of the graduation's it was. */
export interface Switched {
  provider: Provider
  epoch: number
}
