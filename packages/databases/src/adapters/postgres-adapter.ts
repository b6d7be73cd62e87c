import { callbackify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapter, SqlDriverAdapterFactory, Transaction } from '@prisma/driver-adapter-utils'
import { Failure } from '@outgrow/kit'
import type { Pool, PoolClient, PoolConfig } from 'pg'
import { connectionAttempts, unreachable } from '../postgres.ts'
import { isTlsRefusal } from '../tls.ts'
import type { PostgresUrl } from '../url.ts'
import { whileWaking } from '../waking.ts'
import { countTime, type DatabaseCounters, type PoolCounts } from './counters.ts'
import { connectionLimit, poolTimeoutSeconds } from './pool-parameters.ts'
import { reconnecting } from './reconnecting.ts'
import type { TransactionScope } from './transaction-scope.ts'
import { WakingPool } from './waking-pool.ts'

export interface PostgresAdapterOptions {
  url: PostgresUrl
  counters: DatabaseCounters
  scope: TransactionScope
  /** Runs first in each transaction, as part of it; what it throws ends the transaction. */
  afterBegin?: (query: (sql: string) => Promise<unknown[][]>) => Promise<void>
  /** Whether idle connections let the process end, as a file does. */
  allowExitOnIdle?: boolean
  /** Looks at each new connection before it is used; what it throws is what the query ends with. */
  verify?: (client: PoolClient) => Promise<void>
}

/**
 * Prisma's Postgres adapter, with every session in UTC: it writes and reads `timestamptz` wrongly in any other zone.
 * @throws Failure OUTGROW_TIMEZONE, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export async function postgresAdapterFactory(
  options: PostgresAdapterOptions,
): Promise<SqlDriverAdapterFactory> {
  const { url } = options
  const limits = { max: connectionLimit(url), connectionTimeoutMillis: poolTimeoutSeconds(url) * 1000 }
  const config = await whileWaking(url, () => utcConfig(url))
  const settings = {
    ...config,
    ...limits,
    allowExitOnIdle: options.allowExitOnIdle ?? false,
    ...(options.verify && { verify: callbackify(options.verify) }),
  }
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: async () => {
      const pool = new WakingPool(settings, url)
      // Only replicas are verified; the pool that is reported is the primary's.
      if (!options.verify) options.counters.pool = poolCounts(pool, settings.max)
      const stock = new PrismaPg(pool, { schema: url.schema, disposeExternalPool: true })
      return watched(reconnecting(await stock.connect(), settings.max), options)
    },
  }
}

/** The pool as it is whenever it is looked at. */
function poolCounts(pool: Pool, limit: number): PoolCounts {
  return {
    limit,
    get open() {
      return pool.totalCount
    },
    get idle() {
      return pool.idleCount
    },
    get waiting() {
      return pool.waitingCount
    },
  }
}

/** Counts waits and transactions, and refuses a second transaction inside a transaction's own callback. */
function watched(
  adapter: SqlDriverAdapter,
  { scope, counters, afterBegin }: PostgresAdapterOptions,
): SqlDriverAdapter {
  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    executeScript: (script) => adapter.executeScript(script),
    ...(adapter.getConnectionInfo && { getConnectionInfo: adapter.getConnectionInfo.bind(adapter) }),
    dispose: () => adapter.dispose(),
    queryRaw: (query) => adapter.queryRaw(query),
    executeRaw: (query) => adapter.executeRaw(query),
    startTransaction: async (isolationLevel) => {
      scope.refuseInside()
      const asked = performance.now()
      const transaction = await adapter
        .startTransaction(isolationLevel)
        .then((begun) => looked(begun, afterBegin))
        .finally(() => countTime(counters.waits, performance.now() - asked))
      const started = performance.now()
      const ended = () => countTime(counters.transactions, performance.now() - started)
      const commit = transaction.commit.bind(transaction)
      const rollback = transaction.rollback.bind(transaction)
      transaction.commit = () => commit().finally(ended)
      transaction.rollback = () => rollback().finally(ended)
      return transaction
    },
  }
}

async function looked(
  transaction: Transaction,
  afterBegin: PostgresAdapterOptions['afterBegin'],
): Promise<Transaction> {
  if (!afterBegin) return transaction
  const plain = (sql: string) => ({ sql, args: [], argTypes: [] })
  try {
    await afterBegin(async (sql) => (await transaction.queryRaw(plain(sql))).rows)
    return transaction
  } catch (error) {
    await transaction.executeRaw(plain('ROLLBACK')).catch(() => {}) // a lost connection has rolled back
    await transaction.rollback() // gives the connection back
    throw error
  }
}

/** A configuration whose sessions are in UTC: set at start-up where the server lets us, else by the role's setting. */
async function utcConfig(url: PostgresUrl): Promise<PoolConfig> {
  let failure: unknown
  for (const attempt of connectionAttempts(url)) {
    const own = attempt.options === undefined ? '' : `${attempt.options} `
    for (const options of [`${own}-c timezone=UTC`, attempt.options]) {
      const config = { ...attempt, ...(options !== undefined && { options }) }
      const client = new config.Client(config)
      client.on('error', () => {}) // the query that finds the connection gone reports it
      try {
        await client.connect()
        const { rows } = await client.query<{ zone: string }>("SELECT current_setting('timezone') AS zone")
        if (isUtc(rows[0]?.zone)) return config
        failure = wrongZone(rows[0]?.zone)
      } catch (error) {
        failure = error
      } finally {
        await client.end().catch(() => {})
      }
    }
    if (failure instanceof Failure || !isTlsRefusal(failure)) break
  }
  throw failure instanceof Failure ? failure : unreachable(url, failure)
}

function isUtc(zone: string | undefined): boolean {
  return /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i.test(zone ?? '')
}

function wrongZone(zone: string | undefined): Failure {
  return new Failure({
    code: 'OUTGROW_TIMEZONE',
    message: `Sessions on this server run in ${zone ?? 'an unknown time zone'}, and the client is not allowed to change that.`,
    why: 'Prisma’s adapter reads and writes timestamps correctly only in UTC.',
    fix: "Set it for the role: ALTER ROLE app SET timezone = 'UTC'.",
  })
}
