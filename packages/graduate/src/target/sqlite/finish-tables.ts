import { quoteIdentifier, sqlTokens, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { reportedValue } from '../../model/excerpt.ts'
import { findingOf, type Finding, type ReportedKey } from '../../model/finding.ts'
import type { TakenOff } from './new-file.ts'

/** Makes an index of a filled table, and names the rows that a unique one does not take. */
export function makeIndex(
  database: SqliteDatabase,
  { name, table, sql }: TakenOff['indexes'][number],
): Finding | undefined {
  try {
    database.exec(sql)
    return undefined
  } catch (error) {
    const { code = '' } = error as { code?: string }
    if (!code.startsWith('SQLITE_CONSTRAINT')) throw error
    const { count, keys } = sharedKeys(database, name, table, sql)
    return {
      ...findingOf({
        code: 'OUTGROW_DUPLICATE',
        table,
        excerpt: sql,
        reason: `has rows with the same key of ${name}, which allows only one`,
        fixes: ['change the rows in Postgres', `--skip-table ${table}`],
      }),
      count,
      keys,
    }
  }
}

/** The keys that several rows have; of a part of the rows, or of expressions, only that there are some. */
function sharedKeys(
  database: SqliteDatabase,
  name: string,
  table: string,
  sql: string,
): Pick<Finding, 'count' | 'keys'> {
  database.exec(sql.replace(/^CREATE UNIQUE/i, 'CREATE'))
  const columns = database
    .prepare(
      'SELECT i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i WHERE l.name = ? AND NOT l.partial ORDER BY i.seqno',
    )
    .pluck()
    .all(table, name) as (string | null)[]
  const names = columns.map((column) => quoteIdentifier(column ?? ''))
  if (columns.length === 0 || columns.includes(null)) return { count: 1, keys: [] }
  const shared = `SELECT ${names.join(', ')} FROM ${quoteIdentifier(table)} WHERE ${names.map((own) => `${own} IS NOT NULL`).join(' AND ')} GROUP BY ${names.join(', ')} HAVING count(*) > 1`
  const rows = database.prepare(`${shared} LIMIT 10`).raw().safeIntegers(true).all() as unknown[][]
  return {
    count: database.prepare(`SELECT count(*) FROM (${shared})`).pluck().get() as number,
    keys: rows.map((row) =>
      Object.fromEntries(columns.map((column, at) => [column ?? '', reportedValue(row[at])])),
    ),
  }
}

/** Fills search indexes that read their rows from another table. */
export function fillSearchIndexes(database: SqliteDatabase, tables: readonly SourceTable[]): void {
  for (const { name, virtual } of tables) {
    if (virtual?.content !== 'elsewhere' || virtual.contentTable === undefined) continue
    const table = quoteIdentifier(name)
    database.exec(`INSERT INTO ${table} (${table}) VALUES ('rebuild')`)
  }
}

/** Rows that point nowhere, by the file's own foreign keys. */
export function danglingRows(database: SqliteDatabase, tables: readonly SourceTable[]): Finding[] {
  const groups = new Map<string, Finding>()
  const violations = database.prepare('PRAGMA foreign_key_check').safeIntegers(true).iterate()
  for (const row of violations) {
    const { table, rowid, parent } = row as { table: string; rowid: bigint | null; parent: string }
    const own = tables.find(({ name }) => name === table)
    const id = JSON.stringify([table, parent])
    const finding = groups.get(id) ?? {
      ...findingOf({
        code: 'OUTGROW_ORPHAN',
        table,
        reason: `references a row of ${parent} that does not exist`,
        fixes: ['delete these rows or clear the reference in Postgres'],
      }),
      count: 0,
    }
    finding.count++
    if (finding.keys.length < 10 && own !== undefined && rowid !== null)
      finding.keys.push(keyAt(database, own, rowid))
    groups.set(id, finding)
  }
  return [...groups.values()]
}

function keyAt(database: SqliteDatabase, { name, primaryKey, rowid }: SourceTable, at: bigint): ReportedKey {
  const columns = primaryKey.length > 0 ? primaryKey : [rowid as string]
  const values = database
    .prepare(
      `SELECT ${columns.map(quoteIdentifier).join(', ')} FROM ${quoteIdentifier(name)} WHERE ${rowid} = ?`,
    )
    .raw()
    .safeIntegers(true)
    .get(at) as unknown[]
  return Object.fromEntries(columns.map((column, place) => [column, reportedValue(values[place])]))
}

/** Whether SQLite counts the ids of a table, so that one that was deleted is not given again. */
export function countsUp(database: SqliteDatabase, table: string): boolean {
  const sql = database
    .prepare("SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?")
    .pluck()
    .get(table) as string | undefined
  return sqlTokens(sql ?? '').some(
    ({ kind, text }) => kind === 'word' && text.toUpperCase() === 'AUTOINCREMENT',
  )
}

/** Has SQLite count on from where a counter of Postgres stands, or from the highest id where that is higher. */
export function advanceCounter(database: SqliteDatabase, table: string, last: bigint): void {
  const advanced = database
    .prepare('UPDATE main.sqlite_sequence SET seq = max(seq, ?) WHERE name = ?')
    .run(last, table)
  if (advanced.changes > 0) return
  database.prepare('INSERT INTO main.sqlite_sequence (seq, name) VALUES (?, ?)').run(last, table)
}
