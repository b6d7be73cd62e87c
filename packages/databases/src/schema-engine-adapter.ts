import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  type Error as AdapterError,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils'
import { type DatabaseError, type Pool, type QueryResult } from 'pg'
import { type ConnectionSettings } from './channel-binding.ts'
import { connectionAttempts, connectPostgres } from './postgres.ts'
import { quoteIdentifier } from './quote.ts'
import { runPostgresScript } from './scripts/postgres-script.ts'
import { runSqliteScript, type ScriptNote } from './scripts/sqlite-script.ts'
import { ScriptError } from './scripts/statement.ts'
import { openSqlite, type SqliteDatabase } from './sqlite.ts'
import { parseDatabaseUrl, type PostgresUrl } from './url.ts'

/** A driver adapter, in the form in which Prisma's WebAssembly schema engine takes it. */
export type SchemaEngineAdapter = ReturnType<typeof bindMigrationAwareSqlAdapterFactory>

/** What the engine asks a Postgres when it starts: whether the schema exists, and the version. */
const serverIdentity: SqlResultSet = {
  columnNames: ['exists', 'version', 'numeric_version'],
  columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
  rows: [[true, 'PostgreSQL 18.0', 180000]],
}

/** An adapter that names its dialect and holds nothing: enough to compare two datamodels. */
export function detachedEngineAdapter(provider: 'sqlite' | 'postgres'): SchemaEngineAdapter {
  const adapterName = 'outgrow-detached'
  const refuse = () => Promise.reject(new Error('this schema engine has no database'))
  const connection: SqlDriverAdapter = {
    provider,
    adapterName,
    executeScript: refuse,
    queryRaw: () => Promise.resolve(serverIdentity),
    executeRaw: refuse,
    startTransaction: refuse,
    dispose: () => Promise.resolve(),
  }
  const connect = () => Promise.resolve(connection)
  return bindMigrationAwareSqlAdapterFactory({
    provider,
    adapterName,
    connect,
    connectToShadowDb: connect,
  })
}

interface FailedScript {
  script: string
  error: ScriptError
}

export interface LiveEngineAdapter {
  adapter: SchemaEngineAdapter
  /** The script that failed, which the engine tells only in its own words. */
  failure(): FailedScript | undefined
  /** What was run otherwise than it is written. */
  notes: ScriptNote[]
  /** Closes what the engine opened and never closes itself: on SQLite it would go on holding a lock. */
  dispose(): Promise<void>
}

/**
 * An adapter for the schema engine over a live database. Scripts run whole or not at all: the stock adapters split them at
 * every `;`, or go on from where they failed.
 * @param recordOf a statement that belongs into the transaction of a script
 */
export async function engineAdapter(
  databaseUrl: string,
  recordOf: (script: string) => string | undefined = () => undefined,
): Promise<LiveEngineAdapter> {
  const { factory, runScript } = await liveDatabase(databaseUrl)
  const opened: SqlDriverAdapter[] = []
  const notes: ScriptNote[] = []
  let failure: FailedScript | undefined
  const kept = async (connecting: Promise<SqlDriverAdapter>) => {
    const connection = await connecting
    opened.push(connection)
    withChar(connection)
    connection.executeScript = async (script) => {
      try {
        notes.push(...(await runScript(connection, script, recordOf(script))))
      } catch (error) {
        if (!(error instanceof ScriptError)) throw error
        failure = { script, error }
        throw new DriverAdapterError(payloadOf(error, factory.provider))
      }
    }
    return connection
  }
  const adapter = bindMigrationAwareSqlAdapterFactory({
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: () => kept(factory.connect()),
    connectToShadowDb: () => kept(factory.connectToShadowDb()),
  })
  return {
    adapter,
    failure: () => failure,
    notes,
    dispose: async () => {
      await Promise.all(opened.splice(0).map((connection) => connection.dispose()))
    },
  }
}

interface LiveDatabase {
  factory: SqlMigrationAwareDriverAdapterFactory
  runScript(
    connection: SqlDriverAdapter,
    script: string,
    record: string | undefined,
  ): ScriptNote[] | Promise<ScriptNote[]>
}

async function liveDatabase(databaseUrl: string): Promise<LiveDatabase> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') {
    return {
      factory: new PrismaBetterSqlite3({ url: `file:${url.path}` }),
      // The engine locks the file for its own connection: a script runs on that one.
      runScript: (connection, script, record) =>
        runSqliteScript((connection as unknown as { client: SqliteDatabase }).client, script, record),
    }
  }
  const session = await sessionFor(url)
  return {
    // A pool closes what idles for ten seconds: the engine's lock would go with it.
    factory: new PrismaPg({ ...session, idleTimeoutMillis: 0 }, { schema: url.schema }),
    runScript: (_, script, record) => runInSession(session, script, record),
  }
}

/**
 * Runs a script whole or not at all, without any bookkeeping.
 * @throws ScriptError
 */
export async function runScript(databaseUrl: string, script: string): Promise<ScriptNote[]> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'postgres') return runInSession(await sessionFor(url), script)
  const database = openSqlite(url.path)
  try {
    return runSqliteScript(database, script)
  } finally {
    database.close()
  }
}

/** How a migration's session is opened: in UTC, with the URL's schema, which is made where it is missing. */
async function sessionFor(url: PostgresUrl): Promise<ConnectionSettings> {
  // The first attempt that connects decides between TLS and plain text.
  const probe = await connectPostgres(url)
  const encrypted = Boolean((probe as unknown as { ssl: unknown }).ssl)
  try {
    // The engine makes tables where the search path leads, and asks for the schema by its name alone.
    // IF NOT EXISTS wants the right to make one even where there is nothing to make.
    const known = await probe.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [url.schema])
    if (known.rows.length === 0) await probe.query(`CREATE SCHEMA ${quoteIdentifier(url.schema)}`)
  } finally {
    await probe.end()
  }
  const config = connectionAttempts(url).find(({ ssl }) => Boolean(ssl) === encrypted) as ConnectionSettings
  const path = quoteIdentifier(url.schema).replaceAll(/[\\ ]/g, '\\$&')
  const options = [config.options, `-c timezone=UTC -c search_path=${path}`]
  return { ...config, options: options.filter(Boolean).join(' ') }
}

/** Prisma's engine holds this lock while it applies migrations; ours is held from before the records are read. */
const engineLock = 72707369
const deployLock = 72707370

/**
 * Runs `use` while no other deployment of this product or of Prisma goes on. A file is locked by the engine itself.
 * @param wait false: give up at once
 * @returns undefined where another deployment is under way and nobody is to wait
 */
export async function withMigrationLock<Result>(
  databaseUrl: string,
  wait: boolean,
  use: () => Promise<Result>,
): Promise<Result | undefined> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') return use()
  const session = await sessionFor(url)
  const client = new session.Client(session)
  client.on('error', () => {}) // a lost connection is reported by the query that finds it
  await client.connect()
  try {
    await client.query(
      'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0',
    )
    for (const lock of [deployLock, engineLock]) {
      await client.query('SAVEPOINT locked')
      const { rows } = await client.query<{ held: boolean }>(
        wait
          ? `SELECT true AS held FROM pg_advisory_xact_lock(${lock})`
          : `SELECT pg_try_advisory_xact_lock(${lock}) AS held`,
      )
      if (rows[0]?.held !== true) return undefined
      // The engine takes its own lock itself: it was only waited for.
      if (lock === engineLock) await client.query('ROLLBACK TO SAVEPOINT locked')
    }
    return await use()
  } finally {
    await client.end().catch(() => {})
  }
}

/** A connection of its own: what a script sets, such as a dump's search_path, ends with it. */
async function runInSession(
  session: ConnectionSettings,
  script: string,
  record?: string,
): Promise<ScriptNote[]> {
  const client = new session.Client(session)
  client.on('error', () => {}) // a lost connection is reported by the query that finds it
  await client.connect()
  try {
    await runPostgresScript(client, script, record)
    return []
  } finally {
    await client.end().catch(() => {})
  }
}

/** As the engine writes it into `_prisma_migrations`. */
function payloadOf(error: ScriptError, provider: string): AdapterError {
  const cause = (error.cause ?? {}) as Partial<DatabaseError> & { code?: string }
  if (provider === 'sqlite') return { kind: 'sqlite', extendedCode: 1, message: error.message }
  return {
    kind: 'postgres',
    code: cause.code ?? 'N/A',
    severity: cause.severity ?? 'ERROR',
    message: error.message,
    detail: cause.detail,
    column: cause.column,
    hint: cause.hint,
  }
}

/** The stock adapter knows no "char" (OID 18), in which Postgres' catalogs say of what kind a thing is. */
function withChar(connection: SqlDriverAdapter): void {
  const pool = (connection as { underlyingDriver?(): Pool }).underlyingDriver?.()
  if (!pool) return
  const charType = 18
  const textType = 25
  let chars: number[] = []
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<QueryResult>
  pool.query = (async (...args: unknown[]) => {
    const result = await query(...args)
    chars = result.fields.flatMap(({ dataTypeID }, at) => (dataTypeID === charType ? [at] : []))
    for (const at of chars) (result.fields[at] as { dataTypeID: number }).dataTypeID = textType
    return result
  }) as typeof pool.query
  const queryRaw = connection.queryRaw.bind(connection)
  connection.queryRaw = async (asked) => {
    const result = await queryRaw(asked)
    for (const at of chars) result.columnTypes[at] = ColumnTypeEnum.Character
    return result
  }
}
