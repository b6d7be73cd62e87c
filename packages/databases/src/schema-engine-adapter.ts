import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils'
import { connectionAttempts, connectPostgres } from './postgres.ts'
import { quoteIdentifier } from './quote.ts'
import { parseDatabaseUrl } from './url.ts'

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

export interface LiveEngineAdapter {
  adapter: SchemaEngineAdapter
  /** Closes what the engine opened and never closes itself: on SQLite it would go on holding a lock. */
  dispose(): Promise<void>
}

/** An adapter for the schema engine over a live database. */
export async function engineAdapter(databaseUrl: string): Promise<LiveEngineAdapter> {
  const factory = await liveFactory(databaseUrl)
  const opened: SqlDriverAdapter[] = []
  const kept = async (connecting: Promise<SqlDriverAdapter>) => {
    const connection = await connecting
    opened.push(connection)
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
    dispose: async () => {
      await Promise.all(opened.map((connection) => connection.dispose()))
    },
  }
}

async function liveFactory(databaseUrl: string): Promise<SqlMigrationAwareDriverAdapterFactory> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') return new PrismaBetterSqlite3({ url: `file:${url.path}` })
  // The first attempt that connects decides between TLS and plain text.
  const probe = await connectPostgres(url)
  const encrypted = Boolean((probe as unknown as { ssl: unknown }).ssl)
  try {
    // The engine makes tables where the search path leads, and asks for the schema by its name alone.
    if (url.schema !== 'public')
      await probe.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(url.schema)}`)
  } finally {
    await probe.end()
  }
  const config = connectionAttempts(url).find((attempt) => Boolean(attempt.ssl) === encrypted)
  const path = quoteIdentifier(url.schema).replaceAll(/[\\ ]/g, '\\$&')
  return new PrismaPg(
    { ...config, options: `-c timezone=UTC -c search_path=${path}` },
    { schema: url.schema },
  )
}
