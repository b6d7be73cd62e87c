import type { DatabaseCounters, Provider, ReplicaStatus } from '@outgrow/databases'
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
  /**
   * Calls back for each NOTIFY on a channel of Postgres, and whenever some may have been missed. While the rows are in SQLite,
   * and behind a pooler without `directUrl`, there is none: it only saves those who look now and then from looking often.
   * Takes a connection of its own. Returns what ends it.
   */
  listen(channel: string, onNotified: () => void): () => Promise<void>
  /**
   * `switched` tells of each switch between the two databases that this process has followed, `replica` of each replica that
   * comes into use or goes out of it. Returns what ends that.
   */
  on<Event extends keyof DatabaseEvents>(event: Event, listener: Listener<Event>): () => void
  /**
   * Runs work, such as one request, whose reads see what it has written itself and what the token stands for, and wait
   * for nobody else's writes. Outside of it reads see all that this process has written.
   * @param token from `position` of another process; what the primary cannot have given is taken for its position of now
   */
  after<Result>(token: string | undefined, work: () => PromiseLike<Result> | Result): Promise<Result>
  /**
   * What another process passes to `after` in order to read what was written here; undefined where there is nothing to
   * wait for, as on SQLite.
   * @throws what the driver throws when the primary cannot be asked
   */
  position(): Promise<string | undefined>
  /** What the database has met since it was opened. */
  counters(): DatabaseCounters
  /** Lets open transactions end, then closes. */
  close(): Promise<void>
}

interface DatabaseEvents {
  switched: Switched
  replica: ReplicaStatus
}

export type Listener<Event extends keyof DatabaseEvents> = (event: DatabaseEvents[Event]) => void

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
