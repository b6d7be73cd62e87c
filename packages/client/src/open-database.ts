import { parseDatabaseUrl, type DriverAdapterFactory, type SqliteUrl } from '@outgrow/databases'
import {
  lockTimeoutMs,
  newAdapterState,
  postgresFactory,
  sqliteFactory,
  type AdapterState,
} from './adapters.ts'
import { clientHandle } from './client-handle.ts'
import type { Database } from './database.ts'
import type { ClientModule, GeneratedClients, PrismaClientShape } from './prisma-client.ts'
import { assertInternals, guardRequests } from './prisma-internals.ts'

export interface DatabaseOptions {
  /** Options of Prisma's client, such as `log`, `omit` and `transactionOptions`. */
  client?: Record<string, unknown>
}

/** Makes a client over an adapter. */
type MakeClient<Client> = new (options: Record<string, unknown> & { adapter: DriverAdapterFactory }) => Client

/** One open file of this process. */
interface OpenFile {
  path: string
  /** The generated class: another project's client of the same file is another client. */
  PrismaClient: unknown
  database: Promise<Database>
  users: number
}

/** SQLite wants one client a file. */
const openFiles = new Set<OpenFile>()

/**
 * Opens `file:./app.db` or `postgresql://…` with a project's own generated clients, of which only the needed one is loaded.
 * Opening a file twice gives the same client; each `close` takes one user off it.
 * SQLite's parameters: `lock_timeout` (seconds a write waits, 5), `synchronous` (`normal` or `full`).
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_TIMEZONE, OUTGROW_CLIENT_UNSUPPORTED
 */
export async function openDatabase<Client extends PrismaClientShape>(
  clients: GeneratedClients<Client>,
  databaseUrl: string,
  options: DatabaseOptions = {},
): Promise<Database<Client>> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'postgres') {
    const PrismaClient = await classOf<Client>(clients.postgres)
    const state = newAdapterState()
    return open('postgres', PrismaClient, await postgresFactory(url, state), state, options.client)
  }
  const PrismaClient = await classOf<Client>(clients.sqlite)
  const { path } = url
  const known = [...openFiles].find((file) => file.path === path && file.PrismaClient === PrismaClient)
  const file = known ?? { path, PrismaClient, database: openFile(url, PrismaClient, options), users: 0 }
  openFiles.add(file)
  file.users++
  try {
    return shared(file, (await file.database) as Database<Client>)
  } catch (error) {
    openFiles.delete(file)
    throw error
  }
}

function openFile<Client extends PrismaClientShape>(
  url: SqliteUrl,
  PrismaClient: MakeClient<Client>,
  options: DatabaseOptions,
): Promise<Database<Client>> {
  const state = newAdapterState()
  // Prisma would give up the start of a transaction after 2 s, before the wait for the lock is over.
  const maxWait = lockTimeoutMs(url.parameters) + 5000
  const { transactionOptions, ...rest } = options.client ?? {}
  const given = { ...rest, transactionOptions: { maxWait, ...(transactionOptions as object | undefined) } }
  return open('sqlite', PrismaClient, sqliteFactory(url, state), state, given)
}

/** A file's database as one of its users sees it. */
function shared<Client extends PrismaClientShape>(
  file: OpenFile,
  database: Database<Client>,
): Database<Client> {
  let closed = false
  return {
    get provider() {
      return database.provider
    },
    client: database.client,
    counters: () => database.counters(),
    close: async () => {
      if (closed) return
      closed = true
      if (--file.users > 0) return
      openFiles.delete(file)
      await database.close()
    },
  }
}

/** The generated class; older clients are CommonJS, whose names may lie under `default`. */
async function classOf<Client>(load: ClientModule<unknown>): Promise<MakeClient<Client>> {
  const module = (await load()) as { PrismaClient?: unknown; default?: { PrismaClient?: unknown } }
  return (module.PrismaClient ?? module.default?.PrismaClient) as MakeClient<Client>
}

async function open<Client extends PrismaClientShape>(
  provider: Database['provider'],
  PrismaClient: MakeClient<Client>,
  adapter: DriverAdapterFactory,
  state: AdapterState,
  options: DatabaseOptions['client'],
): Promise<Database<Client>> {
  const client = new PrismaClient({ ...options, adapter })
  assertInternals(client)
  const transactions = watchTransactions(client, state)
  guardRequests(client, state.scope)
  await client.$connect()
  return {
    provider,
    client: clientHandle(() => client),
    counters: () => structuredClone(state.counters),
    close: async () => {
      // Disconnecting would roll open transactions back.
      while (transactions.size > 0) await Promise.allSettled(transactions)
      await client.$disconnect()
    },
  }
}

/**
 * Marks the callback of an interactive transaction, so that the root client can tell when it is called inside,
 * and returns the transactions that are open.
 */
function watchTransactions(client: PrismaClientShape, { scope }: AdapterState): Set<Promise<unknown>> {
  type Start = (this: unknown, work: unknown, options?: unknown) => Promise<unknown>
  const open = new Set<Promise<unknown>>()
  const start = client.$transaction as unknown as Start
  const $transaction: Start = function transaction(work, options) {
    if (typeof work !== 'function') return start.call(this, work, options)
    // Awaited inside: what the callback returns may be a query that only starts then.
    const callback = (tx: unknown) => scope.run(async () => await (work as (tx: unknown) => unknown)(tx))
    const running = start.call(this, callback, options)
    const settled: Promise<unknown> = running.then(
      () => open.delete(settled),
      () => open.delete(settled),
    )
    open.add(settled)
    return running
  }
  Object.defineProperty(client, '$transaction', { value: $transaction })
  return open
}
