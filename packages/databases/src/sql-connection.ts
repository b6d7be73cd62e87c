import { connectPostgres } from './postgres.ts'
import { quoteIdentifier } from './quote.ts'
import { openSqliteForLock, openSqliteReadonly } from './sqlite.ts'
import { parseDatabaseUrl } from './url.ts'

type Row = Record<string, unknown>

/** One connection to either database, for SQL that both understand. Parameters are written as `?`, outside of quotes. */
export interface SqlConnection {
  provider: 'sqlite' | 'postgres'
  /** Postgres' schema that the URL names, `public` without one. What has no schema in its name is made there. */
  schema: string | undefined
  query(sql: string, values?: unknown[]): Promise<Row[]>
  script(sql: string): Promise<void>
  /** Names of a table's columns; empty when there is no such table. */
  columnsOf(table: string): Promise<string[]>
  /** Whether one column alone is unique. */
  isUnique(table: string, column: string): Promise<boolean>
  close(): Promise<void>
}

/**
 * Connects to a database that is there.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_SOURCE_NOT_FOUND, OUTGROW_POSTGRES_UNREACHABLE
 */
export async function connectSql(databaseUrl: string): Promise<SqlConnection> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') return sqlite(url.path)
  // What has no schema in its name is looked for, and made, in the URL's schema first, as Prisma does.
  const schema = quoteIdentifier(url.schema).replaceAll("'", "''")
  const client = await connectPostgres(url, [
    `SELECT set_config('search_path', '${schema}, ' || current_setting('search_path'), false)`,
  ])
  const query = async (sql: string, values: unknown[] = []) => {
    let at = 0
    const { rows } = await client.query<Row>(
      sql.replaceAll(/"[^"]*"|'[^']*'|\?/g, (part) => (part === '?' ? `$${++at}` : part)),
      values,
    )
    return rows
  }
  return {
    provider: 'postgres',
    schema: url.schema,
    query,
    script: async (sql) => {
      await client.query(sql)
    },
    columnsOf: async (table) => {
      const rows = await query(
        `SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
        [quoteIdentifier(table)],
      )
      return rows.map(({ name }) => String(name))
    },
    isUnique: async (table, column) => {
      const rows = await query(
        `SELECT 1 FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
          WHERE x.indrelid = to_regclass(?) AND x.indisunique AND x.indnkeyatts = 1 AND x.indpred IS NULL AND a.attname = ?`,
        [quoteIdentifier(table), column],
      )
      return rows.length > 0
    },
    close: () => client.end(),
  }
}

function sqlite(path: string): SqlConnection {
  openSqliteReadonly(path).close() // what is wrong with the file is said in its own words
  const database = openSqliteForLock(path)
  const query = (sql: string, values: unknown[] = []) => {
    const statement = database.prepare(sql)
    if (statement.reader) return Promise.resolve(statement.all(...values) as Row[])
    statement.run(...values)
    return Promise.resolve([])
  }
  return {
    provider: 'sqlite',
    schema: undefined,
    query,
    script: (sql) => {
      database.exec(sql)
      return Promise.resolve()
    },
    columnsOf: async (table) =>
      (await query('SELECT name FROM pragma_table_info(?)', [table])).map(({ name }) => String(name)),
    isUnique: async (table, column) => {
      const rows = await query(
        `SELECT 1 FROM pragma_index_list(?) l WHERE l."unique" AND NOT l.partial
            AND (SELECT group_concat(name) FROM pragma_index_info(l.name)) = ?
         UNION SELECT 1 FROM pragma_table_info(?) WHERE pk = 1 AND name = ? AND (SELECT max(pk) FROM pragma_table_info(?)) = 1`,
        [table, column, table, column, table],
      )
      return rows.length > 0
    },
    close: () => {
      database.close()
      return Promise.resolve()
    },
  }
}
