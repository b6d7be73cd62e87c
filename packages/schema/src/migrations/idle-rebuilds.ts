import {
  missingItems,
  quoteIdentifier,
  runScript,
  sqliteStatements,
  type DescribedItem,
} from '@outgrow/databases'
import { rebuiltTables } from './rebuilt-tables.ts'
import { structureOf } from './structure.ts'

/**
 * A migration of SQLite without the tables that it makes anew as they were. Prisma's engine reads a default in a file as a
 * literal, and takes the same default written as `dbgenerated` for another.
 * @param url a scratch database in the state before the migration, which is run there
 */
export async function withoutIdleRebuilds(url: string, sql: string): Promise<string> {
  const rebuilt = rebuiltTables(sql)
  if (rebuilt.length === 0) return sql
  const before = await structureOf(url)
  await runScript(url, sql)
  const after = await structureOf(url)
  const changed = [...missingItems(before, after), ...missingItems(after, before)]
  const idle = rebuilt.filter((table) => !changed.some((item) => isOf(table, item)))
  if (idle.length === 0) return sql
  const indexes = before.filter((item) => item.kind === 'index' && idle.some((table) => isOf(table, item)))
  const starts = [
    ...idle.flatMap((table) => {
      const [old, made] = [quoteIdentifier(table), quoteIdentifier(`new_${table}`)]
      return [`CREATE TABLE ${made} (`, `INSERT INTO ${made} `, `DROP TABLE ${old}`, `ALTER TABLE ${made} `]
    }),
    ...indexes.flatMap(({ name }) =>
      ['CREATE INDEX', 'CREATE UNIQUE INDEX'].map((create) => `${create} ${quoteIdentifier(name)} ON `),
    ),
    ...(idle.length === rebuilt.length ? ['PRAGMA foreign_keys=', 'PRAGMA defer_foreign_keys='] : []),
  ]
  let text = sql
  for (const { start, end } of sqliteStatements(sql).toReversed()) {
    if (starts.some((one) => sql.startsWith(one, start)))
      text = text.slice(0, start) + text.slice(end).replace(/^;?\n?/, '')
  }
  return idle.length === rebuilt.length ? text.replace(/^-- RedefineTables\n/m, '') : text
}

/** An index of the table counts: with the table, the engine drops and makes it unsaid. */
const isOf = (table: string, { kind, name, definition }: DescribedItem): boolean =>
  name === table ||
  name.startsWith(`${table}.`) ||
  name.startsWith(`${table} `) ||
  (kind === 'index' && definition.toLowerCase().includes(` on ${table.toLowerCase()} (`))
