import {
  AuthorityWatch,
  authorityLock,
  isSameTarget,
  quoteLiteral,
  type Authority,
  type Provider,
  type SqliteDatabase,
  type TransactionScope,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Switched } from './database.ts'
import { AuthorityMoved, meetsMoved } from './moved.ts'
import type { OpenedClient } from './opened-client.ts'
import type { PrismaClientShape } from './prisma-client.ts'
import { loadCompiler } from './prisma-internals.ts'
import { Registration } from './registration.ts'
import type { Route } from './transactions.ts'

/** Where an application's operations go, and since which switch. */
export interface Place {
  readonly provider: Provider
  readonly epoch: number
  readonly opened: OpenedClient
}

export interface FollowerOptions<Client extends PrismaClientShape> {
  path: string
  scope: TransactionScope
  /** How long a change of the authority that is under way is waited for. */
  lockTimeoutMs: number
  /** Each is called again when it has failed. */
  open: Record<Provider, () => Promise<OpenedClient<Client>>>
}

const lookEveryMs = 1000

/** Connections that are kept awake for the switch. */
const maxWarm = 10

/**
 * Follows the authority of one file: at most one switch is followed at a time, and operations go to the place of now. A
 * place is taken only when its client is open, so that it can be asked for without a wait.
 */
export class Follower<Client extends PrismaClientShape> implements Route {
  readonly #options: FollowerOptions<Client>
  readonly #watch: AuthorityWatch
  readonly #clients: Partial<Record<Provider, OpenedClient<Client>>> = {}
  readonly #opening: Partial<Record<Provider, Promise<OpenedClient<Client>>>> = {}
  readonly #listeners = new Set<(event: Switched) => void>()
  readonly #onOpened: ((client: Client) => void)[] = []
  #place: Place | undefined
  #following: Promise<void> | undefined
  #looking: Promise<Authority | undefined> | undefined
  #registration: Registration | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: FollowerOptions<Client>) {
    this.#options = options
    this.#watch = new AuthorityWatch(options.path)
  }

  /**
   * Opens the database that has the authority.
   * @throws Failure OUTGROW_AUTHORITY_URL, OUTGROW_AUTHORITY_TARGET and what opening throws
   */
  async start(): Promise<void> {
    const authority = this.#lookQuietly()
    const { provider, epoch } = sideOf(authority)
    try {
      this.#place = { provider, epoch, opened: await this.#opened(provider, authority) }
    } catch (error) {
      await this.close()
      throw error
    }
    // A file that is made by opening it is there now.
    this.#observe(this.#lookQuietly())
    if (this.#isCompleted) return
    this.#timer = setInterval(() => this.#tick(), lookEveryMs)
    this.#timer.unref()
  }

  /** Whether a graduation is known of: without one, operations need no second look. */
  get isActive(): boolean {
    return this.#watch.last !== undefined || this.#current.epoch > 0
  }

  here(): Place {
    const place = this.#current
    const provider = this.#options.scope.provider ?? place.provider
    const opened = provider === place.provider ? undefined : this.#clients[provider]
    return opened ? { ...place, provider, opened } : place
  }

  /** The client of now; inside a transaction, that of its database. */
  get client(): Client {
    return this.here().opened.client as Client
  }

  get provider(): Provider {
    return this.#options.scope.provider ?? this.#current.provider
  }

  onSwitched(listener: (event: Switched) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** For each client that is open, and for those that will be. */
  onEachClient(use: (client: Client) => void): void {
    this.#onOpened.push(use)
    for (const opened of Object.values(this.#clients)) use(opened.client)
  }

  async hasMoved(place: Place, error: unknown): Promise<boolean> {
    if (!meetsMoved(error, place.provider)) return false
    const isTaken = place.provider === 'postgres' && !(error instanceof AuthorityMoved)
    if (isTaken && this.#current.epoch === place.epoch) {
      if (!this.#hasWayBack) return false
      await this.#lookLocked()
    }
    await this.#follow()
    return this.#current.epoch !== place.epoch
  }

  /** Whether no switch has come after that one, as the file says now; one that cannot be read does not say so. */
  isStill(epoch: number): boolean {
    if (!this.#hasWayBack) return this.#current.epoch === epoch
    try {
      return sideOf(this.#watch.look()).epoch === epoch
    } catch {
      return false
    }
  }

  /** Right after a transaction has begun on SQLite. @throws AuthorityMoved */
  lookInSqlite(database: SqliteDatabase): void {
    if (this.#watch.lookInside(database)?.side === 'postgres') throw new AuthorityMoved()
  }

  /**
   * Right after a transaction has begun on Postgres, while there is a way back. Whoever goes that way takes the lock for
   * itself and the tables away; the switch is the commit in the file that follows, when the lock is free again.
   * @param table one of the application's, as SQL names it
   * @throws AuthorityMoved
   */
  async lookInPostgres(query: (sql: string) => Promise<unknown[][]>, table: string): Promise<void> {
    if (!this.#hasWayBack) return
    // A backend learns that names have changed when it locks a relation, which asking for a size does; waiting for the
    // advisory lock does not.
    const [row] = await query(
      `SELECT pg_advisory_xact_lock_shared(${authorityLock.join(', ')})::text, pg_relation_size('pg_catalog.pg_class')::text, to_regclass(${quoteLiteral(table)})::text`,
    )
    const isThere = row?.[2] !== null
    const authority = isThere ? this.#watch.look() : await this.#lookLocked()
    if (sideOf(authority).provider === 'sqlite') throw new AuthorityMoved()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#registration?.close()
    this.#watch[Symbol.dispose]()
    // One that is still being opened closes itself.
    await Promise.all(Object.values(this.#clients).map(({ client }) => client.$disconnect()))
  }

  get #current(): Place {
    if (!this.#place) throw new Error('the database is not open yet')
    return this.#place
  }

  get #hasWayBack(): boolean {
    return this.#watch.last !== undefined && !this.#isCompleted
  }

  get #isCompleted(): boolean {
    return this.#watch.last?.state === 'completed'
  }

  /** What cannot be read now says nothing: an operation that meets moved tables looks again. */
  #lookQuietly(fresh = false): Authority | undefined {
    try {
      return this.#watch.look({ fresh })
    } catch {
      return this.#watch.last
    }
  }

  /** Waits for a switch that is under way. Whoever asks meanwhile waits for the same look. */
  #lookLocked(): Promise<Authority | undefined> {
    return (this.#looking ??= this.#watch
      .lookLocked(this.#options.lockTimeoutMs)
      .catch(() => this.#watch.last)
      .finally(() => (this.#looking = undefined)))
  }

  #tick(): void {
    this.#observe(this.#lookQuietly(this.isActive))
  }

  #observe(authority: Authority | undefined): void {
    if (this.#isClosed) return
    const { provider, epoch } = sideOf(authority)
    const current = this.#current
    // What is in its way is reported in the process' row, and by the operations that need it.
    if (provider !== current.provider || epoch !== current.epoch) void this.#follow().catch(() => {})
    else if (authority?.state === 'completed') this.#finish()
    if (authority && authority.state !== 'completed') {
      this.#registration ??= new Registration(this.#options.path, {
        epoch: () => this.#current.epoch,
        warm: () => this.#warm(),
      })
      this.#registration.beat()
    } else if (this.#registration) {
      void this.#registration.close()
      this.#registration = undefined
    }
  }

  #follow(): Promise<void> {
    return (this.#following ??= this.#advance().finally(() => (this.#following = undefined)))
  }

  async #advance(): Promise<void> {
    for (;;) {
      const authority = this.#watch.look()
      const { provider, epoch } = sideOf(authority)
      const before = this.#current
      if (provider === before.provider && epoch === before.epoch) return
      const opened = await this.#opened(provider, authority)
      if (sideOf(this.#watch.look()).epoch !== epoch) continue
      this.#place = { provider, epoch, opened }
      this.#registration?.beat({ now: true })
      if (provider === before.provider) return
      // Not within the pause; and what a listener throws is its own affair.
      for (const listener of this.#listeners) setImmediate(() => listener({ provider, epoch }))
      return
    }
  }

  async #opened(provider: Provider, authority: Authority | undefined): Promise<OpenedClient<Client>> {
    const opening = (this.#opening[provider] ??= this.#options.open[provider]())
    let opened: OpenedClient<Client>
    try {
      opened = await opening
    } catch (error) {
      if (this.#opening[provider] === opening) delete this.#opening[provider]
      throw error
    }
    if (this.#isClosed) {
      await opened.client.$disconnect()
      throw new Error('the database was closed meanwhile')
    }
    if (!this.#clients[provider]) {
      this.#clients[provider] = opened
      for (const use of this.#onOpened) use(opened.client)
    }
    if (provider === 'postgres' && authority && opened.identity) refuseOther(authority, opened)
    return opened
  }

  /**
   * Opens what the next switch will need, forward or back, and keeps it awake: a pool closes connections that nobody uses
   * for ten seconds.
   */
  async #warm(): Promise<void> {
    const authority = this.#watch.last
    const other = this.#current.provider === 'sqlite' ? 'postgres' : 'sqlite'
    const opened = await this.#opened(other, authority)
    if (this.#isClosed) return
    const ask = () => opened.client.$queryRawUnsafe('SELECT 1')
    await this.#options.scope.pin({ provider: other, answered: 0 }, async () => {
      await Promise.all(Array.from({ length: Math.min(opened.connections ?? 1, maxWarm) }, ask))
      await loadCompiler(opened.client)
    })
  }

  /** There is no way back: the file is not needed any more. */
  #finish(): void {
    clearInterval(this.#timer)
    this.#watch[Symbol.dispose]()
    const { sqlite } = this.#clients
    delete this.#clients.sqlite
    delete this.#opening.sqlite
    if (this.#current.provider === 'postgres') void sqlite?.client.$disconnect().catch(() => {})
  }
}

function sideOf(authority: Authority | undefined): { provider: Provider; epoch: number } {
  return { provider: authority?.side ?? 'sqlite', epoch: authority?.epoch ?? 0 }
}

function refuseOther({ target }: Authority, { identity }: OpenedClient): void {
  if (!identity || isSameTarget(target, identity)) return
  const named = ({ database, schema }: typeof target) => `database ${database}, schema ${schema}`
  throw new Failure({
    code: 'OUTGROW_AUTHORITY_TARGET',
    message: `POSTGRES_URL leads to ${named(identity)}, and the application graduates to ${named(target)}${target.database === identity.database && target.schema === identity.schema ? ' of another server' : ''}.`,
    why: 'The rows are in one database only: any other would show a past, or nothing.',
    fix: 'Set POSTGRES_URL to the database that outgrow graduate was given.',
  })
}
