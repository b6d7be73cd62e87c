import {
  openSqliteReadonly,
  parseDatabaseUrl,
  quoteIdentifier,
  readTableDetails,
  runScript,
  sqliteStatements,
  withScratchDatabase,
  type ScratchOptions,
} from '@outgrow/databases'
import type { StoredMigration } from './history.ts'
import { runMigrations } from './run.ts'

/** What a file has beyond what Prisma says of it. */
interface LostObject {
  table: string
  name: string
  /** Statement behind the rebuilt table, or a constraint within it. */
  sql: string
  isConstraint: boolean
}

/** Tables that a migration of SQLite makes anew under another name. */
export const rebuiltTables = (sql: string): string[] =>
  [...sql.matchAll(/^ALTER TABLE "new_(?:[^"]|"")*" RENAME TO "((?:[^"]|"")*)"/gm)].map(([, name = '']) =>
    name.replaceAll('""', '"'),
  )

/**
 * A migration that rebuilds tables of SQLite, with the triggers, checks, and partial and expression indexes that would be
 * lost with them: Prisma does not know those. What cannot be put back is named.
 */
export async function keepObjectsOfRebuiltTables(
  migrations: StoredMigration[],
  sql: string,
  scratch: ScratchOptions,
): Promise<{ sql: string; warnings: string[] }> {
  const tables = rebuiltTables(sql)
  if (tables.length === 0 || migrations.length === 0) return { sql, warnings: [] }
  const stateAfter = (script: string | undefined) =>
    withScratchDatabase('sqlite', scratch, async (url) => {
      await runMigrations(url, migrations)
      const notes = script === undefined ? [] : await runScript(url, script)
      // A name in quotes whose column is gone would be taken for a text.
      if (notes.length > 0) throw new Error(notes[0]?.text)
      return readState(url, tables)
    })
  const before = await stateAfter(undefined)
  const after = await stateAfter(sql)
  const kept: LostObject[] = []
  const warnings: string[] = []
  for (const lost of before.unsaid.filter((one) => !after.unsaid.some((other) => isSame(one, other)))) {
    const tried = withLostObjects(sql, [...kept, lost])
    try {
      await stateAfter(tried)
      kept.push(lost)
    } catch {
      // a column that it needs is gone: that is what is said
      warnings.push(
        `${lost.name} of ${lost.table} is lost because the table is rebuilt: ${lost.sql.replaceAll(/\s+/g, ' ')}`,
      )
    }
  }
  for (const column of before.columns) {
    if (!after.columns.includes(column)) warnings.push(`Column ${column} is dropped with all its values.`)
  }
  return { sql: withLostObjects(sql, kept), warnings }
}

const isSame = (a: LostObject, b: LostObject): boolean => a.table === b.table && a.name === b.name

function readState(url: string, tables: string[]): { unsaid: LostObject[]; columns: string[] } {
  const { path } = parseDatabaseUrl(url) as { path: string }
  const database = openSqliteReadonly(path)
  try {
    const unsaid: LostObject[] = []
    const columns: string[] = []
    const objects = database.prepare(
      `SELECT name, type, sql FROM sqlite_schema s WHERE tbl_name = ? AND sql IS NOT NULL AND (type = 'trigger' OR type = 'index' AND EXISTS (
         SELECT 1 FROM pragma_index_list(s.tbl_name) i WHERE i.name = s.name
            AND (i.partial OR EXISTS (SELECT 1 FROM pragma_index_info(i.name) WHERE name IS NULL))))`,
    )
    for (const table of tables) {
      const made = database
        .prepare("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?")
        .pluck()
        .get(table)
      if (typeof made !== 'string') continue
      for (const { name, expression } of readTableDetails(made).checks) {
        const constraint = `${name === undefined ? '' : `CONSTRAINT ${quoteIdentifier(name)} `}CHECK (${expression})`
        unsaid.push({ table, name: constraint, sql: constraint, isConstraint: true })
      }
      for (const { name, type, sql } of objects.all(table) as { name: string; type: string; sql: string }[]) {
        unsaid.push({ table, name: `${type} ${name}`, sql, isConstraint: false })
      }
      const names = database.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]
      columns.push(...names.map((name) => `${table}.${name}`))
    }
    return { unsaid, columns }
  } finally {
    database.close()
  }
}

function withLostObjects(sql: string, unsaid: LostObject[]): string {
  let text = sql
  for (const { start, end } of sqliteStatements(sql).toReversed()) {
    const statement = sql.slice(start, end)
    const constraints = unsaid.filter(
      ({ table, isConstraint }) =>
        isConstraint && statement.startsWith(`CREATE TABLE ${quoteIdentifier(`new_${table}`)} (`),
    )
    if (constraints.length === 0) continue
    const lines = constraints.map((one) => `,\n    ${one.sql}`).join('')
    text = `${text.slice(0, start)}${statement.replace(/\s*\)$/, '')}${lines}\n)${text.slice(end)}`
  }
  const objects = unsaid.filter(({ isConstraint }) => !isConstraint)
  if (objects.length === 0) return text
  const statements = objects.map((one) => `${one.sql};`).join('\n')
  return `${text.trimEnd()}\n\n-- What the rebuilt tables had beyond the Prisma schema\n${statements}\n`
}
