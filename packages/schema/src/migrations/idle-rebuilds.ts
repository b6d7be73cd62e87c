import {
  openSqliteReadonly,
  parseDatabaseUrl,
  quoteIdentifier,
  readSourceTables,
  runScript,
  sqliteStatements,
  type SqliteDatabase,
} from '@outgrow/databases'
import { rebuiltTables } from './rebuilt-tables.ts'

/**
 * A migration of SQLite without the tables that it makes anew as they were. Prisma's engine reads a default in a file as a
 * literal, and takes the same default written as `dbgenerated` for another.
 * @param url a scratch database in the state before the migration, which is run there
 */
export async function withoutIdleRebuilds(url: string, sql: string): Promise<string> {
  const rebuilt = rebuiltTables(sql)
  if (rebuilt.length === 0) return sql
  const before = shapesIn(url)
  await runScript(url, sql)
  const after = shapesIn(url)
  const idle = rebuilt.filter((table) => before.has(table) && before.get(table) === after.get(table))
  if (idle.length === 0) return sql
  const isAll = idle.length === rebuilt.length
  const starts = [
    ...idle.flatMap((table) => {
      const [old, made] = [quoteIdentifier(table), quoteIdentifier(`new_${table}`)]
      return [`CREATE TABLE ${made} (`, `INSERT INTO ${made} `, `DROP TABLE ${old}`, `ALTER TABLE ${made} `]
    }),
    ...(isAll ? ['PRAGMA foreign_keys=', 'PRAGMA defer_foreign_keys='] : []),
  ]
  let text = sql
  for (const { start, end } of sqliteStatements(sql).toReversed()) {
    const statement = sql.slice(start, end)
    if (starts.some((one) => statement.startsWith(one)) || isIndexOf(idle, statement))
      text = text.slice(0, start) + text.slice(end).replace(/^;?\n?/, '')
  }
  return isAll ? text.replace(/^-- RedefineTables\n/m, '') : text
}

/** An index of a table that stays is there still: with the table, the engine makes all of them again. */
function isIndexOf(tables: string[], statement: string): boolean {
  const table = /^CREATE (?:UNIQUE )?INDEX "(?:[^"]|"")*" ON ("(?:[^"]|"")*")\(/.exec(statement)?.[1]
  return tables.some((name) => quoteIdentifier(name) === table)
}

/** What Prisma knows of each table. What it does not know (checks, collations) a rebuild only loses. */
function shapesIn(url: string): Map<string, string> {
  const { path } = parseDatabaseUrl(url) as { path: string }
  const database = openSqliteReadonly(path)
  try {
    return new Map(
      readSourceTables(database).map(({ name, columns, primaryKey, foreignKeys }) => {
        const known = columns
          .filter(({ generated }) => !generated)
          .map((column) => [
            column.name,
            column.declaredType.toUpperCase(),
            column.notNull,
            column.defaultSql,
          ])
        const shape = [known, foreignKeys, indexesOf(database, name)].map((items) =>
          items.map((item) => JSON.stringify(item)).toSorted(),
        )
        return [name, JSON.stringify([primaryKey, shape])]
      }),
    )
  } finally {
    database.close()
  }
}

/** Those that a constraint makes are named by SQLite. */
function indexesOf(database: SqliteDatabase, table: string): unknown[] {
  return database
    .prepare(
      `SELECT iif(i.origin = 'c', i.name, i.origin) AS name, i."unique",
              (SELECT json_group_array(json_array(x.name, x."desc")) FROM (SELECT * FROM pragma_index_xinfo(i.name) WHERE key ORDER BY seqno) x) AS columns
         FROM pragma_index_list(?) i`,
    )
    .all(table)
}
