import { parseDatabaseUrl, type PostgresUrl, type SqliteUrl } from '@outgrow/databases'
import { newAdapterState, postgresFactory, sqliteFactory, type AdapterState } from './adapters.ts'
import { clientHandle } from './client-handle.ts'
import type { Database, Listener } from './database.ts'
import { directUrlOr } from './direct-url.ts'
import { listenTo } from './listen.ts'
import { makeClient, type MakeClient, type OpenedClient } from './opened-client.ts'
import { openFollowing } from './open-following.ts'
import type { ClientModule, GeneratedClients, PrismaClientShape } from './prisma-client.ts'
import { countRequests, guardRequests, listen, replaceExecute } from './prisma-internals.ts'
import { openReplicas, type Replicas } from './replicas/open-replicas.ts'
import { checkReplicas, type ReplicaOptions } from './replicas/replica-options.ts'
import { replaceTransaction, Transactions } from './transactions.ts'
import { waitingForLock } from './waiting-for-lock.ts'

export interface DatabaseOptions {
  /** Options of Prisma's client, such as `log`, `omit` and `transactionOptions`. */
  client?: Record<string, unknown>
  /** Where an application with a file goes when it graduates while it runs; else `POSTGRES_URL` of the environment. */
  postgresUrl?: string
  /** The way to Postgres past a pooler, for `Database.directUrl`; else `DIRECT_URL` of the environment. */
  directUrl?: string
  /** URLs of the Postgres' streaming replicas, each of one server. Reads outside of transactions may go there. */
  replicas?: readonly string[]
  /** `maxWaitMs` (50), `maxLagMs` (10,000) and `maxLagBytes` (64 MiB). */
  replicaLimits?: Partial<ReplicaOptions>
}

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
 * Opening a file twice gives the same client; each `close` takes one user off it. A file whose application has graduated,
 * or does so while it is open, leads to Postgres.
 * SQLite's parameters: `lock_timeout` (seconds a write waits, 5), `synchronous` (`normal` or `full`).
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_TIMEZONE, OUTGROW_CLIENT_UNSUPPORTED,
 *   OUTGROW_AUTHORITY_URL, OUTGROW_AUTHORITY_TARGET, OUTGROW_REPLICA_OPTION
 */
export async function openDatabase<Client extends PrismaClientShape>(
  clients: GeneratedClients<Client>,
  databaseUrl: string,
  options: DatabaseOptions = {},
): Promise<Database<Client>> {
  const url = parseDatabaseUrl(databaseUrl)
  checkReplicas(options)
  if (url.kind === 'postgres') return openPostgres(await classOf<Client>(clients.postgres), url, options)
  const PrismaClient = await classOf<Client>(clients.sqlite)
  const { path } = url
  if (path === ':memory:') return openInMemory(PrismaClient, url, options)
  const known = [...openFiles].find((file) => file.path === path && file.PrismaClient === PrismaClient)
  const file = known ?? {
    path,
    PrismaClient,
    users: 0,
    database: openFollowing(
      url,
      { sqlite: PrismaClient, postgres: () => classOf<Client>(clients.postgres) },
      options,
    ),
  }
  openFiles.add(file)
  file.users++
  try {
    return shared(file, (await file.database) as Database<Client>)
  } catch (error) {
    openFiles.delete(file)
    throw error
  }
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
    get url() {
      return database.url
    },
    get directUrl() {
      return database.directUrl
    },
    client: database.client,
    perProvider: (make) => database.perProvider(make),
    listen: (channel, onNotified) => database.listen(channel, onNotified),
    on: (event, listener) => database.on(event, listener),
    after: (token, work) => database.after(token, work),
    position: () => database.position(),
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

async function openPostgres<Client extends PrismaClientShape>(
  PrismaClient: MakeClient<Client>,
  url: PostgresUrl,
  options: DatabaseOptions,
): Promise<Database<Client>> {
  const state = newAdapterState()
  const adapter = await postgresFactory(url, state)
  const opened = makeClient('postgres', PrismaClient, { ...options.client, adapter })
  const replicas = openReplicas({ primary: url, options, state, PrismaClient })
  const urls = { url: url.url.href, directUrl: directUrlOr(url.url.href, options) }
  return openStaying(opened, urls, state, replicas)
}

function openInMemory<Client extends PrismaClientShape>(
  PrismaClient: MakeClient<Client>,
  url: SqliteUrl,
  options: DatabaseOptions,
): Promise<Database<Client>> {
  const state = newAdapterState()
  const given = { ...waitingForLock(url, options.client), adapter: sqliteFactory(url, state) }
  const urls = { url: 'file::memory:', directUrl: 'file::memory:' }
  return openStaying(makeClient('sqlite', PrismaClient, given), urls, state)
}

/** A database that an application stays on. */
async function openStaying<Client extends PrismaClientShape>(
  { provider, ...made }: OpenedClient<Client>,
  urls: Pick<Database, 'url' | 'directUrl'>,
  { scope, counters }: AdapterState,
  replicas?: Replicas,
): Promise<Database<Client>> {
  const opened = replicas?.spread({ provider, ...made }) ?? { provider, ...made }
  const transactions = new Transactions()
  replaceExecute(opened.client, opened.execute)
  replaceTransaction(opened, scope, transactions)
  guardRequests(opened.client, scope)
  countRequests(opened.client, counters)
  try {
    await opened.client.$connect()
  } catch (error) {
    await replicas?.close()
    throw error
  }
  const client = clientHandle(() => opened.client, {
    $on: (...args: [never, never]) => {
      listen(opened.client, args)
      replicas?.onEachClient((one) => listen(one, args))
    },
  })
  const on: Database['on'] = (event, listener) =>
    event === 'replica' && replicas ? replicas.onChanged(listener as Listener<'replica'>) : () => {}
  return {
    provider,
    client,
    ...urls,
    listen: (channel, onNotified) => listenTo({ provider, ...urls, on }, channel, onNotified),
    on,
    perProvider: async (make) => {
      scope.refuseInside()
      return await scope.pin({ provider, answered: 0 }, async () => await make({ provider, client }))
    },
    after: async (token, work) => (replicas ? replicas.after(token, work) : await work()),
    position: async () => replicas?.position(),
    counters: () => structuredClone(counters),
    close: async () => {
      // Disconnecting would roll open transactions back.
      await transactions.drained()
      await replicas?.close()
      await opened.client.$disconnect()
    },
  }
}
