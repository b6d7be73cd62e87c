import type { SqliteDatabase } from '../sqlite.ts'

/** What the stock adapter asks of a statement. */
interface Bound {
  reader: boolean
  run(): unknown
  columns(): unknown
  raw(): { all(): unknown[] }
}

const maxStatements = 500

/**
 * Keeps a connection's prepared statements: the stock adapter prepares each anew, which takes a fifth of a point read.
 * SQLite itself prepares a kept one again when the schema has changed. Statements with a `*` are not kept: their columns
 * would be those of before.
 */
export function keepStatements(client: SqliteDatabase): void {
  const prepare = client.prepare.bind(client)
  const kept = new Map<string, object>()
  const preparing = (sql: string): object => {
    if (sql.includes('*')) return prepare(sql)
    let statement = kept.get(sql)
    if (statement === undefined) {
      if (kept.size >= maxStatements) kept.clear()
      statement = reusable(prepare(sql))
      kept.set(sql, statement)
    }
    return statement
  }
  Object.defineProperty(client, 'prepare', { value: preparing })
}

/** The driver binds a statement only once: here the values are kept aside until it runs. */
function reusable(statement: ReturnType<SqliteDatabase['prepare']>): object {
  return {
    reader: statement.reader,
    readonly: statement.readonly,
    run: () => statement.run([]),
    bind: (values: unknown[]): Bound => ({
      reader: statement.reader,
      run: () => statement.run(values),
      columns: () => statement.columns(),
      raw: () => ({ all: () => statement.raw(true).all(values) }),
    }),
  }
}

/** The same connection with statements as the driver makes them. */
export function unkept(client: SqliteDatabase): SqliteDatabase {
  const { prepare } = Object.getPrototypeOf(client) as SqliteDatabase
  return Object.create(client, { prepare: { value: prepare } }) as SqliteDatabase
}
