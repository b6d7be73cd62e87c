import type { SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { reservedPrefix } from './captured-table.ts'

/** A row of `sqlite_schema`. */
export interface SchemaRow {
  rowid: number
  type: string
  name: string
  tableName: string
  rootpage: number
  sql: string | null
}

/** What turns one state of `sqlite_schema` into another. */
export interface SchemaChange {
  removed: number[]
  changed: SchemaRow[]
  added: SchemaRow[]
}

export interface SchemaState {
  /** `PRAGMA schema_version`: every change of the schema by anybody changes it. */
  version: number
  rows: SchemaRow[]
}

/** Version and rows of one moment. */
export function readSchema(database: SqliteDatabase): SchemaState {
  return database.transaction(() => ({
    rows: database
      .prepare(
        'SELECT rowid, type, name, tbl_name AS tableName, rootpage, sql FROM main.sqlite_schema ORDER BY rowid',
      )
      .all() as SchemaRow[],
    version: schemaVersion(database),
  }))()
}

export const isCaptureTrigger = ({ type, name }: Pick<SchemaRow, 'type' | 'name'>): boolean =>
  type === 'trigger' && name.startsWith(reservedPrefix)

export function schemaVersion(database: SqliteDatabase): number {
  return database.pragma('main.schema_version', { simple: true }) as number
}

export function schemaChange(before: SchemaRow[], after: SchemaRow[]): SchemaChange {
  const old = new Map(before.map((row) => [row.rowid, row]))
  const kept = new Set(after.map(({ rowid }) => rowid))
  return {
    removed: before.filter(({ rowid }) => !kept.has(rowid)).map(({ rowid }) => rowid),
    changed: after.filter((row) => {
      const known = old.get(row.rowid)
      return known !== undefined && !isSame(known, row)
    }),
    added: after.filter(({ rowid }) => !old.has(rowid)),
  }
}

function isSame(a: SchemaRow, b: SchemaRow): boolean {
  return (
    a.type === b.type &&
    a.name === b.name &&
    a.tableName === b.tableName &&
    a.rootpage === b.rootpage &&
    a.sql === b.sql
  )
}

/**
 * So much a change adds to the schema's version. One would do for the other connections; but after a rollback a connection
 * would take a schema that somebody else made meanwhile, with one change, for the one that it remembers.
 */
const versionStep = 1000

export function versionAfter(version: number): number {
  return (version + versionStep) % 0x7fff_ffff
}

/**
 * Writes rows of `sqlite_schema` directly, in the caller's transaction: no table is touched, and nothing is parsed.
 * The connection reads the schema anew with its next statement, after a rollback too: setting `schema_version` makes what it
 * remembers differ from what is in the file.
 * @param version that the change was made for
 * @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE
 */
export function writeSchema(database: SqliteDatabase, version: number, change: SchemaChange): void {
  database.unsafeMode(true) // else better-sqlite3 protects the schema from any writer
  try {
    database.pragma('writable_schema = ON')
    database
      .prepare('DELETE FROM main.sqlite_schema WHERE rowid IN (SELECT value FROM json_each(?))')
      .run(JSON.stringify(change.removed))
    const update = database.prepare(
      'UPDATE main.sqlite_schema SET type = ?, name = ?, tbl_name = ?, rootpage = ?, sql = ? WHERE rowid = ?',
    )
    for (const { rowid, type, name, tableName, rootpage, sql } of change.changed)
      update.run(type, name, tableName, rootpage, sql, rowid)
    const insert = database.prepare(
      'INSERT INTO main.sqlite_schema (rowid, type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?, ?)',
    )
    for (const { rowid, type, name, tableName, rootpage, sql } of change.added)
      insert.run(rowid, type, name, tableName, rootpage, sql)
    database.pragma(`main.schema_version = ${versionAfter(version)}`)
  } finally {
    database.pragma('writable_schema = OFF')
    database.unsafeMode(false)
  }
}

/** @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE where the schema is not of that version any more */
export function refuseOtherVersion(database: SqliteDatabase, version: number): void {
  if (schemaVersion(database) !== version) throw schemaChangedLive('Its schema changed since it was read.')
}

export function schemaChangedLive(fact: string): Failure {
  return new Failure({
    code: 'OUTGROW_SCHEMA_CHANGED_LIVE',
    message: `The file is not as the graduation left it. ${fact}`,
    why: 'A migration ran, or somebody changed a table, while the graduation was under way.',
    fix: 'Finish migrations of the schema first, and begin the graduation again.',
  })
}
