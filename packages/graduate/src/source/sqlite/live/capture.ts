import {
  asidePrefix,
  authorityDdl,
  quoteIdentifier,
  readSourceTables,
  writeAuthority,
  type SourceTable,
  type SqliteDatabase,
  type TargetIdentity,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { captureTriggers } from './capture-triggers.ts'
import {
  captureTable,
  logTable,
  originalSchemaTable,
  reservedPrefix,
  type CapturedTable,
} from './captured-table.ts'
import {
  isCaptureTrigger,
  readSchema,
  refuseOtherVersion,
  schemaVersion,
  versionAfter,
  writeSchema,
  type SchemaState,
} from './schema-rows.ts'
import { tryOut } from './try-out.ts'

export interface CaptureOptions {
  /** Of the schema that the tables were read from. */
  schemaVersion?: number
  /** Name of the graduation: the run's, in the target. */
  graduation: string
  target: TargetIdentity
  /** Of the authority, which begins on the side of SQLite. */
  epoch: number
  /** Entries that are logged beyond the last applied one before the log is full. */
  maxLog: number
}

/**
 * Begins to log the keys of changed rows, in one transaction of the file itself: what it makes are tables and triggers
 * whose names begin with `_outgrow_`. Every later commit of any process has its entries in the same transaction.
 * `captureProblems` says beforehand what cannot be captured.
 *
 * Not seen: what a process writes with triggers switched off (`SQLITE_DBCONFIG_ENABLE_TRIGGER`), with incremental blob
 * input (`sqlite3_blob_write`), or past SQLite. The comparison of all rows before a switch finds it.
 * @param database a connection that may write; it never checkpoints from now on
 * @throws Failure OUTGROW_CAPTURE_ACTIVE, OUTGROW_SCHEMA_CHANGED_LIVE
 */
export function capture(database: SqliteDatabase, tables: CapturedTable[], options: CaptureOptions): void {
  database.pragma('wal_autocheckpoint = 0')
  refuseCaptured(database)
  const triggers = prepareTriggers(database, tables)
  database
    .transaction(() => {
      refuseCaptured(database)
      refuseOtherVersion(database, options.schemaVersion ?? triggers.version)
      makeTables(database, tables, options)
      // Written directly: making them one by one takes a second for 300 tables, in which nobody else writes.
      const { rows, version } = readSchema(database)
      const last = rows.at(-1)?.rowid ?? 0
      const added = triggers.rows.map((row, at) => ({ ...row, rowid: last + 1 + at }))
      recordSchemaVersion(database, versionAfter(version))
      writeSchema(database, version, { removed: [], changed: [], added })
    })
    .immediate()
}

function prepareTriggers(database: SqliteDatabase, tables: CapturedTable[]): SchemaState {
  const { version, rows } = readSchema(database)
  const sources = readSourceTables(database)
  const last = rows.at(-1)?.rowid ?? 0
  const triggers = tables.flatMap((captured) => {
    const table = sources.find(({ name }) => name === captured.name)
    refuseChanged(captured, table)
    return captureTriggers(database, table, captured).map(({ name, sql }) => ({
      type: 'trigger',
      name,
      tableName: table.name,
      rootpage: 0,
      sql,
    }))
  })
  const numbered = triggers.map((row, at) => ({ ...row, rowid: last + 1 + at }))
  tryOut([...rows, ...numbered], [])
  return { version, rows: numbered }
}

function refuseCaptured(database: SqliteDatabase): void {
  if (isCaptured(database)) {
    throw new Failure({
      code: 'OUTGROW_CAPTURE_ACTIVE',
      message: `The changes of ${database.name} are being captured already.`,
      fix: 'Continue that graduation, or cancel it first.',
    })
  }
}

function makeTables(database: SqliteDatabase, tables: CapturedTable[], options: CaptureOptions): void {
  const { graduation, target, epoch, maxLog } = options
  const widest = Math.max(1, ...tables.map(({ key }) => key.length))
  const columns = Array.from({ length: widest }, (_, at) => `, k${at + 1}`).join('')
  for (const sql of authorityDdl) database.exec(sql)
  database.exec(`CREATE TABLE ${logTable} (seq INTEGER PRIMARY KEY, tbl${columns});
    CREATE TABLE ${captureTable} (id INTEGER PRIMARY KEY CHECK (id = 1), limit_seq INTEGER NOT NULL,
      applied_seq INTEGER NOT NULL, max_log INTEGER NOT NULL, tables TEXT NOT NULL, schema_version INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE ${originalSchemaTable} (position INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL,
      tbl_name TEXT NOT NULL, sql TEXT, aside TEXT)`)
  writeAuthority(database, { side: 'sqlite', epoch, state: 'capturing', target, graduation })
  // The first entry belongs to no table: there always is a newest one.
  database.exec(`INSERT INTO ${logTable} (tbl) VALUES (0)`)
  database
    .prepare(
      `INSERT INTO ${captureTable} (id, limit_seq, applied_seq, max_log, tables) VALUES (1, 1 + ?, 1, ?, ?)`,
    )
    .run(maxLog, maxLog, JSON.stringify(tables))
}

/** Remembers the schema's version with everything that captures: another one is another schema. */
export function recordSchemaVersion(database: SqliteDatabase, version: number): void {
  database.prepare(`UPDATE main.${captureTable} SET schema_version = ?`).run(version)
}

/** As it was last remembered. */
export function recordedSchemaVersion(database: SqliteDatabase): number {
  return database.prepare(`SELECT schema_version FROM main.${captureTable}`).pluck().get() as number
}

function refuseChanged(
  { name, key }: CapturedTable,
  table: SourceTable | undefined,
): asserts table is SourceTable {
  const names = new Set(table?.columns.map((column) => column.name))
  if (table && key.length > 0 && key.every((column) => names.has(column))) return
  throw new Failure({
    code: 'OUTGROW_SCHEMA_CHANGED_LIVE',
    message: `The table ${name}, or its key (${key.join(', ')}), is not in the file any more.`,
    why: 'The schema of the file changed while the graduation was running.',
    fix: 'Begin the graduation again.',
  })
}

/** Whether changes are logged, or were before the tables were put aside. */
export function isCaptured(database: SqliteDatabase): boolean {
  return database.prepare('SELECT 1 FROM main.sqlite_schema WHERE name = ?').get(captureTable) !== undefined
}

/** The tables that are captured, as `capture` was given them. */
export function readCapturedTables(database: SqliteDatabase): CapturedTable[] {
  const json = database.prepare(`SELECT tables FROM main.${captureTable}`).pluck().get() as string
  return JSON.parse(json) as CapturedTable[]
}

/**
 * Takes everything back that `capture` made, in one transaction: `sqlite_schema` is what it was before, row for row. Nothing
 * happens where there is nothing. Tables that were put aside must be back first.
 */
export function uncapture(database: SqliteDatabase): void {
  database.pragma('wal_autocheckpoint = 0')
  database
    .transaction(() => {
      const { rows } = readSchema(database)
      if (rows.some(({ type, name }) => type === 'table' && name.startsWith(asidePrefix)))
        throw new Error('Tables are still aside: what they were is in what would be dropped.')
      const triggers = rows.filter(isCaptureTrigger)
      const tables = database
        .prepare(
          `SELECT name FROM main.sqlite_schema WHERE type = 'table'
             AND substr(name, 1, ${reservedPrefix.length}) = '${reservedPrefix}' ORDER BY rowid DESC`,
        )
        .pluck()
        .all() as string[]
      if (tables.length === 0 && triggers.length === 0) return
      for (const name of tables) database.exec(`DROP TABLE main.${quoteIdentifier(name)}`)
      writeSchema(database, schemaVersion(database), {
        removed: triggers.map(({ rowid }) => rowid),
        changed: [],
        added: [],
      })
    })
    .immediate()
}
