import { Failure } from '@outgrow/kit'
import {
  emptyCounters,
  parseDatabaseUrl,
  postgresAdapterFactory,
  sqliteAdapterFactory,
  TransactionScope,
  type PostgresUrl,
  type SqliteUrl,
} from '@outgrow/databases'
import type { Database } from './database.ts'
import type { PrismaClient } from './generated/sqlite/client.ts'

/** Files that are open in this process: SQLite wants one client a file. */
const openFiles = new Map<string, { database: Promise<Database>; users: number }>()

/**
 * Opens `file:./app.db` or `postgresql://…`, loading only the engine that is needed.
 * Opening a file twice gives the same client; each `close` takes one user off it.
 * SQLite's parameters: `lock_timeout` (seconds a write waits, 5), `synchronous` (`normal` or `full`).
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_TIMEZONE
 */
export async function openDatabase(databaseUrl: string): Promise<Database> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'postgres') return openPostgres(url)
  const known = openFiles.get(url.path)
  const entry = known ?? { database: openSqliteFile(url), users: 0 }
  openFiles.set(url.path, entry)
  entry.users++
  let database: Database
  try {
    database = await entry.database
  } catch (error) {
    openFiles.delete(url.path)
    throw error
  }
  let closed = false
  return {
    ...database,
    close: async () => {
      if (closed) return
      closed = true
      if (--entry.users > 0) return
      openFiles.delete(url.path)
      await database.close()
    },
  }
}

async function openSqliteFile({ path, parameters }: SqliteUrl): Promise<Database> {
  const counters = emptyCounters()
  const scope = new TransactionScope()
  const { PrismaClient: SqliteClient } = await import('./generated/sqlite/client.ts')
  const lockTimeoutMs = seconds(parameters.get('lock_timeout'), 5) * 1000
  const adapter = sqliteAdapterFactory({
    path,
    lockTimeoutMs,
    synchronous: parameters.get('synchronous')?.toLowerCase() === 'full' ? 'FULL' : 'NORMAL',
    counters,
    scope,
  })
  // Prisma would give up the start of a transaction after 2 s, before the wait for the lock is over.
  const client = new SqliteClient({ adapter, transactionOptions: { maxWait: lockTimeoutMs + 5000 } })
  await client.$connect()
  return database('sqlite', client, scope, () => structuredClone(counters))
}

async function openPostgres(url: PostgresUrl): Promise<Database> {
  const counters = emptyCounters()
  const scope = new TransactionScope()
  const { PrismaClient: PostgresClient } = await import('./generated/postgres/client.ts')
  const adapter = await postgresAdapterFactory({ url, counters, scope })
  const client = new PostgresClient({ adapter }) as unknown as PrismaClient
  await client.$connect()
  return database('postgres', client, scope, () => structuredClone(counters))
}

function database(
  provider: Database['provider'],
  client: PrismaClient,
  scope: TransactionScope,
  counters: Database['counters'],
): Database {
  const open = new Set<Promise<unknown>>()
  markTransactions(client, scope, open)
  return {
    provider,
    client,
    counters,
    close: async () => {
      // Disconnecting would roll open transactions back.
      while (open.size > 0) await Promise.allSettled(open)
      await client.$disconnect()
    },
  }
}

/**
 * Marks the callback of an interactive transaction, so that the root client can tell when it is called inside,
 * and keeps the transactions that are open.
 */
function markTransactions(client: PrismaClient, scope: TransactionScope, open: Set<Promise<unknown>>): void {
  type Start = (this: unknown, work: unknown, options?: unknown) => Promise<unknown>
  const start = client.$transaction as unknown as Start
  const $transaction: Start = function transaction(work, options) {
    if (typeof work !== 'function') return start.call(this, work, options)
    const callback = (tx: unknown) => scope.run(() => (work as (tx: unknown) => unknown)(tx))
    const running = start.call(this, callback, options)
    const settled: Promise<unknown> = running.then(
      () => open.delete(settled),
      () => open.delete(settled),
    )
    open.add(settled)
    return running
  }
  Object.defineProperty(client, '$transaction', { value: $transaction })
  guardRoot(client, scope)
}

/**
 * Refuses what the root client is asked inside such a callback. It must be judged here, where the caller asks: Prisma
 * gathers the `findUnique`s of one turn and sends them together, in the name of whoever asked first.
 */
function guardRoot(client: PrismaClient, scope: TransactionScope): void {
  type Request = (this: unknown, params: { transaction?: { kind: string } }) => unknown
  const request = (client as unknown as { _request: Request })._request
  const _request: Request = function guarded(params) {
    if (params.transaction?.kind !== 'itx') scope.refuseRoot()
    return request.call(this, params)
  }
  Object.defineProperty(client, '_request', { value: _request })
}

function seconds(text: string | null, otherwise: number): number {
  if (text === null) return otherwise
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `lock_timeout=${text} is no number of seconds.`,
    fix: 'For example file:./app.db?lock_timeout=10',
  })
}
