import {
  openSqlite,
  parseDatabaseUrl,
  quoteIdentifier,
  readTableDetails,
  runScript,
  sqliteStatements,
  sqlTokens,
  withScratchDatabase,
  type ScratchOptions,
  type SqliteDatabase,
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
 * A migration that rebuilds tables of SQLite, with the triggers, views, checks, and partial and expression indexes that would
 * be lost with them: Prisma does not know those. What cannot be put back is named.
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
  // SQLite renames no table while a view or a trigger names one that is not there.
  const drops = before.dependents
    .toReversed()
    .map(({ kind, name }) => `DROP ${kind} ${quoteIdentifier(name)};\n`)
  const unhindered = drops.join('') + sql
  const after = await stateAfter(unhindered)
  const kept: LostObject[] = []
  const warnings: string[] = []
  for (const lost of before.unsaid.filter((one) => !after.unsaid.some((other) => isSame(one, other)))) {
    try {
      const { isSound } = await stateAfter(withLostObjects(unhindered, [...kept, lost]))
      if (before.isSound && !isSound) throw new Error(`${lost.name} names what is not there`)
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
  return { sql: withLostObjects(unhindered, kept), warnings }
}

const isSame = (a: LostObject, b: LostObject): boolean => a.table === b.table && a.name === b.name

interface State {
  unsaid: LostObject[]
  /** Views and triggers that name a rebuilt table, in the order in which they were made. */
  dependents: { kind: 'VIEW' | 'TRIGGER'; name: string }[]
  columns: string[]
  /** Every view and trigger names what is there. */
  isSound: boolean
}

function readState(url: string, tables: string[]): State {
  const { path } = parseDatabaseUrl(url) as { path: string }
  const database = openSqlite(path)
  try {
    const unsaid: LostObject[] = []
    const columns: string[] = []
    const indexes = database.prepare(
      `SELECT name, sql FROM sqlite_schema s WHERE tbl_name = ? AND sql IS NOT NULL AND type = 'index' AND EXISTS (
         SELECT 1 FROM pragma_index_list(s.tbl_name) i WHERE i.name = s.name
            AND (i.partial OR EXISTS (SELECT 1 FROM pragma_index_info(i.name) WHERE name IS NULL)))`,
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
      for (const { name, sql } of indexes.all(table) as { name: string; sql: string }[])
        unsaid.push({ table, name: `index ${name}`, sql, isConstraint: false })
      const names = database
        .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
        .pluck()
        .all(table) as string[]
      columns.push(...names.map((name) => `${table}.${name}`))
    }
    const dependents = dependentsOf(database, tables)
    for (const { type, name, on, sql } of dependents)
      unsaid.push({ table: on, name: `${type} ${name}`, sql, isConstraint: false })
    return {
      unsaid,
      dependents: dependents.map(({ type, name }) => ({
        kind: type === 'view' ? 'VIEW' : 'TRIGGER',
        name,
      })),
      columns,
      isSound: isSound(database, tables),
    }
  } finally {
    database.close()
  }
}

interface Dependent {
  type: 'view' | 'trigger'
  name: string
  on: string
  sql: string
}

/** Views that read the tables, also through other views, and triggers on them or that name them. */
function dependentsOf(database: SqliteDatabase, tables: string[]): Dependent[] {
  const all = database
    .prepare(
      `SELECT type, name, tbl_name AS "on", sql FROM sqlite_schema WHERE type IN ('view', 'trigger') ORDER BY rowid`,
    )
    .all() as Dependent[]
  const named = new Set(tables.map((name) => name.toLowerCase()))
  const found = new Set<Dependent>()
  for (let size = -1; size < found.size;) {
    size = found.size
    for (const one of all) {
      if (!sqlTokens(one.sql).some(({ text }) => named.has(text.toLowerCase()))) continue
      found.add(one)
      if (one.type === 'view') named.add(one.name.toLowerCase())
    }
  }
  return all.filter((one) => found.has(one))
}

/** SQLite looks at every view and trigger when it renames a table. */
function isSound(database: SqliteDatabase, tables: string[]): boolean {
  const there = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
  const table = tables.find((name) => there.get(name) !== undefined)
  if (table === undefined) return true
  database.exec('SAVEPOINT outgrow_check')
  try {
    database.exec(`ALTER TABLE ${quoteIdentifier(table)} RENAME TO "_outgrow_check"`)
    return true
  } catch {
    return false
  } finally {
    database.exec('ROLLBACK TO outgrow_check; RELEASE outgrow_check')
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
