import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import {
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils'
import { refuseMissingFolder, type SqliteDatabase } from '../sqlite.ts'
import { sqlLike } from './sql-like.ts'
import { keepStatements, unkept } from './statement-cache.ts'
import { countTime, type DatabaseCounters } from './counters.ts'
import type { TransactionScope } from './transaction-scope.ts'
import { WriteLock } from './write-lock.ts'

export interface SqliteAdapterOptions {
  path: string
  /** How long a write waits for another process' lock. */
  lockTimeoutMs: number
  /** `synchronous` of the connection: `NORMAL` survives a crash of the process, `FULL` one of the machine. */
  synchronous: 'NORMAL' | 'FULL'
  counters: DatabaseCounters
  scope: TransactionScope
  /** Looks at the database right after a transaction has begun and holds the lock; what it throws ends the transaction. */
  afterBegin?: (database: SqliteDatabase) => void
}

/** The stock adapter's connection, whose driver is reached for pragmas and for asking whether a statement writes. */
type StockAdapter = SqlDriverAdapter & { client: SqliteDatabase }

/** What is asked of a statement's text, once. */
interface Statement {
  onlyReads: boolean
  hasLike: boolean
}

const withLike = new WeakSet<SqliteDatabase>()

/**
 * Gives a connection LIKE as Postgres' ILIKE: letters of any script fold, and a backslash takes a wildcard for itself.
 * Only once a statement asks for it: a connection with a function of its own answers every query some 10 % slower.
 */
function prepareLike({ client }: StockAdapter, { hasLike }: Statement): void {
  if (!hasLike || withLike.has(client)) return
  client.function('like', { deterministic: true }, sqlLike)
  withLike.add(client)
}

/**
 * Prisma's SQLite adapter, made safe for concurrent use:
 * one connection writes and one reads, so that a root query never runs inside somebody's transaction;
 * transactions begin IMMEDIATE; a wait for the lock sleeps in JavaScript and leaves the event loop free.
 */
export function sqliteAdapterFactory(options: SqliteAdapterOptions): SqlDriverAdapterFactory {
  refuseMissingFolder(options.path)
  const stock = new PrismaBetterSqlite3({ url: `file:${options.path}`, timeout: 0 })
  return {
    provider: 'sqlite',
    adapterName: stock.adapterName,
    connect: async () => {
      const writer = (await stock.connect()) as unknown as StockAdapter
      await retryBusy(options, () => writer.client.pragma('journal_mode = WAL'))
      const reader = (await stock.connect()) as unknown as StockAdapter
      for (const { client } of [writer, reader]) {
        client.pragma('foreign_keys = ON')
        client.pragma(`synchronous = ${options.synchronous}`)
        keepStatements(client)
      }
      return new SqliteAdapter(writer, reader, options)
    },
  }
}

class SqliteAdapter implements SqlDriverAdapter {
  readonly provider = 'sqlite'
  readonly adapterName: string
  readonly #writer: StockAdapter
  readonly #reader: StockAdapter
  readonly #options: SqliteAdapterOptions
  readonly #lock = new WriteLock()
  readonly #looked: SqliteDatabase
  readonly #statements = new Map<string, Statement>()
  #lastPause = performance.now()

  constructor(writer: StockAdapter, reader: StockAdapter, options: SqliteAdapterOptions) {
    this.adapterName = writer.adapterName
    this.#writer = writer
    this.#reader = reader
    this.#options = options
    this.#looked = unkept(writer.client)
  }

  queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    const statement = this.#statement(query.sql)
    if (!statement.onlyReads) return this.#write(statement, () => this.#writer.queryRaw(query))
    prepareLike(this.#reader, statement)
    const read = () => this.#reader.queryRaw(query)
    if (this.#mustPause()) return this.#breathe().then(() => retryBusy(this.#options, read))
    return read().catch((error: unknown) => retryBusy(this.#options, read, { failed: error }))
  }

  executeRaw(query: SqlQuery): Promise<number> {
    return this.#write(this.#statement(query.sql), () => this.#writer.executeRaw(query))
  }

  executeScript(script: string): Promise<void> {
    return this.#write(statementOf(script, false), () => this.#writer.executeScript(script))
  }

  async startTransaction(isolationLevel?: string): Promise<Transaction> {
    this.#options.scope.refuseInside()
    if (isolationLevel !== undefined && isolationLevel !== 'SERIALIZABLE') {
      throw new DriverAdapterError({ kind: 'InvalidIsolationLevel', level: isolationLevel })
    }
    await this.#breathe()
    const asked = performance.now()
    const release = await this.#lock.acquire()
    const { client } = this.#writer
    try {
      await retryBusy(this.#options, () => client.prepare('BEGIN IMMEDIATE').run(), { asked })
      this.#options.afterBegin?.(this.#looked)
    } catch (error) {
      if (client.inTransaction) client.prepare('ROLLBACK').run()
      release()
      throw asAdapterError(error)
    } finally {
      countTime(this.#options.counters.waits, performance.now() - asked)
    }
    return new SqliteTransaction(this.#writer, this.#options, release)
  }

  async dispose(): Promise<void> {
    // Waiting for the lock drains the transaction that is open.
    const release = await this.#lock.acquire()
    try {
      await this.#reader.dispose()
      await this.#writer.dispose()
    } finally {
      release()
    }
  }

  async #write<Result>(statement: Statement, work: () => Promise<Result>): Promise<Result> {
    await this.#breathe()
    const { counters } = this.#options
    const asked = performance.now()
    const release = await this.#lock.acquire()
    let began = asked
    try {
      prepareLike(this.#writer, statement)
      const attempt = () => {
        began = performance.now() // what came before was waiting
        return work()
      }
      return await retryBusy(this.#options, attempt, { asked })
    } finally {
      countTime(counters.waits, began - asked)
      countTime(counters.writes, performance.now() - began)
      release()
    }
  }

  #mustPause(): boolean {
    return performance.now() - this.#lastPause >= 10
  }

  /** SQLite answers within the same turn: without a pause now and then, busy callers would starve every timer. */
  async #breathe(): Promise<void> {
    if (!this.#mustPause()) return
    await immediate()
    this.#lastPause = performance.now()
  }

  /** Whether a statement writes is asked of SQLite, once a text. */
  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      let onlyReads: boolean
      try {
        onlyReads =
          this.#reader.client.prepare(sql).readonly && !/^\s*(begin|commit|rollback|pragma)/i.test(sql)
      } catch {
        // The writer reports what is wrong with it. Nothing is kept: its table may be there the next time.
        return statementOf(sql, false)
      }
      statement = statementOf(sql, onlyReads)
      if (this.#statements.size > 2000) this.#statements.clear()
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

function statementOf(sql: string, onlyReads: boolean): Statement {
  return { onlyReads, hasLike: /\blike\b/i.test(sql) }
}

class SqliteTransaction implements Transaction {
  readonly provider = 'sqlite'
  readonly options = { usePhantomQuery: false }
  readonly adapterName: string
  readonly #writer: StockAdapter
  readonly #settings: SqliteAdapterOptions
  readonly #release: () => void
  readonly #started = performance.now()
  #ended = false

  constructor(writer: StockAdapter, settings: SqliteAdapterOptions, release: () => void) {
    this.adapterName = writer.adapterName
    this.#writer = writer
    this.#settings = settings
    this.#release = release
  }

  queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    prepareLike(this.#writer, statementOf(query.sql, false))
    return this.#writer.queryRaw(query)
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    prepareLike(this.#writer, statementOf(query.sql, false))
    if (!/^\s*COMMIT\s*;?\s*$/i.test(query.sql)) return this.#writer.executeRaw(query)
    try {
      return await retryBusy(this.#settings, () => this.#writer.executeRaw(query))
    } catch (error) {
      // A COMMIT that failed leaves the transaction open: without this, every later write would vanish with it.
      if (this.#writer.client.inTransaction) this.#writer.client.prepare('ROLLBACK').run()
      throw error
    }
  }

  commit(): Promise<void> {
    return this.#end()
  }

  rollback(): Promise<void> {
    return this.#end()
  }

  async createSavepoint(name: string): Promise<void> {
    await this.executeRaw({ sql: `SAVEPOINT ${name}`, args: [], argTypes: [] })
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.executeRaw({ sql: `ROLLBACK TO ${name}`, args: [], argTypes: [] })
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.executeRaw({ sql: `RELEASE SAVEPOINT ${name}`, args: [], argTypes: [] })
  }

  async #end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    if (this.#writer.client.inTransaction) this.#writer.client.prepare('ROLLBACK').run()
    const ms = performance.now() - this.#started
    countTime(this.#settings.counters.transactions, ms)
    countTime(this.#settings.counters.writes, ms)
    this.#release()
  }
}

/** Tries again while another connection holds the lock, sleeping in between with growing, random pauses. */
async function retryBusy<Result>(
  { lockTimeoutMs, counters }: SqliteAdapterOptions,
  work: () => Result | Promise<Result>,
  {
    asked = performance.now(),
    failed,
  }: {
    /** Since when the caller waits: a queue before the lock counts too. */
    asked?: number
    /** What the first attempt, made by the caller, ended in. */
    failed?: unknown
  } = {},
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      if (attempt === 0 && failed !== undefined) throw failed
      return await work()
    } catch (error) {
      const code = busyCode(error)
      if (code === undefined) throw error
      counters.busyByCode[code] = (counters.busyByCode[code] ?? 0) + 1
      if (performance.now() - asked >= lockTimeoutMs) throw asAdapterError(error)
      await sleep(Math.random() * Math.min(50, 2 ** Math.min(attempt, 5)) + 1)
    }
  }
}

function busyCode(error: unknown): string | undefined {
  const own = (error as { code?: unknown }).code
  const original = (error as { cause?: { originalCode?: unknown } }).cause?.originalCode
  const code = typeof original === 'string' ? original : own
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY') ? code : undefined
}

function asAdapterError(error: unknown): unknown {
  const code = busyCode(error)
  if (code === undefined || error instanceof DriverAdapterError) return error
  return new DriverAdapterError({
    kind: 'SocketTimeout',
    originalCode: code,
    originalMessage: (error as Error).message,
  })
}

/** The adapter as Prisma ships it. */
export function stockSqliteAdapter(path: string): SqlDriverAdapterFactory {
  return new PrismaBetterSqlite3({ url: `file:${path}` })
}
