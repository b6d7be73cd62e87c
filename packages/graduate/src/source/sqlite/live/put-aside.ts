import { asidePrefix, movedTable, quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import { nameKey, renameInRow } from './aside-sql.ts'
import { originalSchemaTable } from './captured-table.ts'
import {
  isCaptureTrigger,
  readSchema,
  refuseOtherVersion,
  schemaChange,
  schemaChangedLive,
  versionAfter,
  writeSchema,
  type SchemaChange,
  type SchemaRow,
} from './schema-rows.ts'
import { tryOut } from './try-out.ts'

/** A change of names that has been made ready, and takes milliseconds to be made. */
export interface PreparedNames {
  /** How many rows of `sqlite_schema` it changes. */
  readonly rows: number
  /** Of the schema, once the change is made. */
  readonly version: number
  /**
   * Makes the change in the caller's transaction, which has begun IMMEDIATE. Whether it is committed or rolled back, the
   * connection goes on with the schema that is in the file then. To be done last before the COMMIT: the next statement reads
   * the whole schema anew, which takes longer than this.
   * @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE when the schema changed since it was prepared
   */
  apply(database: SqliteDatabase): void
}

/**
 * Prepares to put the application's tables aside, before the pause: what will be in `sqlite_schema`, as if each table T
 * had been renamed to `_graduated_T`. What is in it now is stored in the file, in a short transaction of its own. Every
 * statement of every other connection that names T then fails with `no such table: main._outgrow_moved`, and `CREATE TABLE
 * IF NOT EXISTS T` does nothing: T is a view of a table that does not exist.
 *
 * Views of the application stay as they are, and fail likewise. Its triggers on these tables are taken away with those of the
 * capture, until the way back: what the target did by its own triggers is applied to `_graduated_T` as it came out. For the
 * same reason whoever applies it switches `foreign_keys` off: SQLite's cascades have happened there.
 * @param tables names as in `sqlite_schema`; ordinary tables
 * @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE when one of them does not exist
 */
export function prepareAside(database: SqliteDatabase, tables: string[]): PreparedNames {
  const { version, rows } = readSchema(database)
  const renamed = new Map(tables.map((name) => [nameKey(name), asidePrefix + name]))
  for (const name of tables) {
    const known = rows.some((row) => row.type === 'table' && row.name === name && row.rootpage > 0)
    if (!known) throw schemaChangedLive(`There is no table ${name}.`)
  }
  const last = Math.max(0, ...rows.map(({ rowid }) => rowid))
  const after = [
    ...rows.flatMap((row) => {
      if (row.type === 'table' || row.type === 'index') return [renameInRow(row, renamed)]
      return row.type === 'trigger' && (isCaptureTrigger(row) || renamed.has(nameKey(row.tableName)))
        ? []
        : [row]
    }),
    ...tables.map((name, at) => movedView(name, last + 1 + at)),
  ]
  const change = schemaChange(rows, after)
  tryOut(after, tables)
  storeOriginals(database, version, rows, change)
  const names = JSON.stringify(tables)
  return {
    rows: change.removed.length + change.changed.length + change.added.length,
    version: versionAfter(version),
    apply(target) {
      refuseOutside(target)
      refuseOtherVersion(target, version)
      renameCounters(target, `'${asidePrefix}' || name`, names)
      writeSchema(target, version, change)
    },
  }
}

/** For the way back, which another process may take. They are worth something once the change is made. */
function storeOriginals(
  database: SqliteDatabase,
  version: number,
  rows: SchemaRow[],
  { removed, changed }: SchemaChange,
): void {
  const asides = new Map([
    ...removed.map((rowid) => [rowid, ''] as const),
    ...changed.map(({ rowid, name }) => [rowid, name] as const),
  ])
  database
    .transaction(() => {
      refuseOtherVersion(database, version)
      database.exec(`DELETE FROM main.${originalSchemaTable}`)
      const store = database.prepare(`INSERT INTO main.${originalSchemaTable} VALUES (?, ?, ?, ?, ?, ?)`)
      for (const { rowid, type, name, tableName, sql } of rows)
        store.run(rowid, type, name, tableName, sql, asides.get(rowid) ?? null)
    })
    .immediate()
}

/**
 * Prepares the way back, from what was stored when the tables were put aside, by whatever process: `sqlite_schema` becomes
 * what it was, row for row, also after a VACUUM. What has been created since under other names stays, behind it.
 * @param options `capture`: whether the triggers of the capture are there again
 * @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE when tables that were put aside, or their indexes, are not as they were
 */
export function prepareReturn(database: SqliteDatabase, options: { capture: boolean }): PreparedNames {
  const { version, rows } = readSchema(database)
  const stored = database
    .prepare(
      `SELECT position AS rowid, type, name, tbl_name AS tableName, 0 AS rootpage, sql, aside
         FROM main.${originalSchemaTable} ORDER BY position`,
    )
    .all() as (SchemaRow & { aside: string | null })[]
  const tables = stored
    .filter(({ type, aside, name }) => type === 'table' && aside !== null && aside !== name)
    .map(({ name }) => name)
  const moved = new Set(tables.map((name) => movedView(name, 0).sql))
  const left = new Map(
    rows
      .filter(({ type, sql }) => !(type === 'view' && moved.has(sql)))
      .map((row) => [`${row.type} ${nameKey(row.name)}`, row]),
  )
  const after: SchemaRow[] = []
  for (const { aside, ...original } of stored) {
    if (aside === '') {
      if (options.capture || !isCaptureTrigger(original)) after.push(original)
      continue
    }
    const key = `${original.type} ${nameKey(aside ?? original.name)}`
    const now = left.get(key)
    left.delete(key)
    if (now) {
      const { rowid } = original
      after.push(aside === null ? { ...now, rowid } : { ...original, rootpage: now.rootpage })
    } else if (aside !== null) throw schemaChangedLive(`The ${original.type} ${aside} is gone.`)
  }
  const asides = new Set(tables.map((name) => nameKey(asidePrefix + name)))
  const taken = new Set(after.map(({ rowid }) => rowid))
  let last = Math.max(0, ...taken, ...rows.map(({ rowid }) => rowid))
  for (const row of left.values()) {
    if (asides.has(nameKey(row.tableName)))
      throw schemaChangedLive(`The ${row.type} ${row.name} has been added to ${row.tableName}.`)
    after.push(taken.has(row.rowid) ? { ...row, rowid: ++last } : row)
  }
  const change = schemaChange(rows, after)
  tryOut(after, [])
  const names = JSON.stringify(tables.map((name) => asidePrefix + name))
  return {
    rows: change.removed.length + change.changed.length + change.added.length,
    version: versionAfter(version),
    apply(target) {
      refuseOutside(target)
      refuseOtherVersion(target, version)
      renameCounters(target, `substr(name, ${asidePrefix.length + 1})`, names)
      writeSchema(target, version, change)
    },
  }
}

function movedView(name: string, rowid: number): SchemaRow {
  const sql = `CREATE VIEW ${quoteIdentifier(name)} AS SELECT * FROM main.${movedTable}`
  return { rowid, type: 'view', name, tableName: name, rootpage: 0, sql }
}

/** What AUTOINCREMENT goes on from is kept by name. */
function renameCounters(database: SqliteDatabase, name: string, tables: string): void {
  const known = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'").get()
  if (known === undefined) return
  database
    .prepare(`UPDATE main.sqlite_sequence SET name = ${name} WHERE name IN (SELECT value FROM json_each(?))`)
    .run(tables)
}

function refuseOutside(database: SqliteDatabase): void {
  if (!database.inTransaction) throw new Error('Tables are put aside and back inside of a transaction.')
}
