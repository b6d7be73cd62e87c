import {
  asidePrefix,
  movedTable,
  openSqliteInMemory,
  quoteIdentifier,
  type SqliteDatabase,
} from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import { nameKey, renameInRow } from './aside-sql.ts'
import { originalSchemaTable, reservedPrefix } from './captured-table.ts'
import {
  readSchema,
  refuseOtherVersion,
  schemaChange,
  schemaChangedLive,
  versionAfter,
  writeSchema,
  type SchemaRow,
} from './schema-rows.ts'

/** A change of names that has been made ready, and takes milliseconds to be made. */
export interface PreparedNames {
  /** How many rows of `sqlite_schema` it changes. */
  readonly rows: number
  /** Of the schema, once the change is made. */
  readonly version: number
  /**
   * Makes the change in the caller's transaction, which has begun IMMEDIATE. Whether it is committed or rolled back, the
   * connection goes on with the schema that is in the file then. To be done last: what follows reads the schema anew.
   * @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE when the schema changed since it was prepared
   */
  apply(database: SqliteDatabase): void
}

/**
 * Prepares to put the application's tables aside, outside of any lock: what will be in `sqlite_schema`, as if each table T
 * had been renamed to `_graduated_T`. Every statement of every other connection that names T then fails with `no such table:
 * main._outgrow_moved`, and `CREATE TABLE IF NOT EXISTS T` does nothing: T is a view of a table that does not exist.
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
      return row.type === 'trigger' && (isOurs(row) || renamed.has(nameKey(row.tableName))) ? [] : [row]
    }),
    ...tables.map((name, at) => movedView(name, last + 1 + at)),
  ]
  const change = schemaChange(rows, after)
  tryOut(after, tables)
  const names = JSON.stringify(tables)
  const asides = JSON.stringify([
    ...change.removed.map((rowid) => [rowid, '']),
    ...change.changed.map(({ rowid, name }) => [rowid, name]),
  ])
  return {
    rows: change.removed.length + change.changed.length + change.added.length,
    version: versionAfter(version),
    apply(target) {
      refuseOutside(target)
      refuseOtherVersion(target, version)
      target.exec(
        `DELETE FROM main.${originalSchemaTable};
         INSERT INTO main.${originalSchemaTable} SELECT rowid, type, name, tbl_name, sql, NULL FROM main.sqlite_schema`,
      )
      target
        .prepare(
          `UPDATE main.${originalSchemaTable} SET aside = json_extract(value, '$[1]') FROM json_each(?)
            WHERE position = json_extract(value, '$[0]')`,
        )
        .run(asides)
      renameCounters(target, `'${asidePrefix}' || name`, names)
      writeSchema(target, version, change)
    },
  }
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
      if (options.capture || !isOurs(original)) after.push(original)
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
      target.exec(`DELETE FROM main.${originalSchemaTable}`)
      renameCounters(target, `substr(name, ${asidePrefix.length + 1})`, names)
      writeSchema(target, version, change)
    },
  }
}

const isOurs = ({ type, name }: SchemaRow) => type === 'trigger' && name.startsWith(reservedPrefix)

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

/**
 * Reads the schema in a database without rows, before it is in the file: every table can be read.
 * @param moved names that must fail
 */
function tryOut(rows: SchemaRow[], moved: string[]): void {
  const database = openSqliteInMemory()
  try {
    // Nothing is read from the pages, but their numbers must exist.
    const pages = rows.length + 2
    database.pragma('page_size = 512')
    database.exec(`CREATE TABLE pages (x); INSERT INTO pages VALUES (zeroblob(512 * ${pages}))`)
    let page = 2
    const numbered = rows.map((row) => ({ ...row, rootpage: row.rootpage === 0 ? 0 : page++ }))
    writeSchema(database, 0, { removed: [1], changed: [], added: numbered })
    for (const { type, name, rootpage } of rows) {
      if (type === 'table' && rootpage > 0) database.prepare(`SELECT 1 FROM ${quoteIdentifier(name)}`)
    }
    for (const name of moved) {
      const problem = problemOf(() => database.prepare(`SELECT * FROM ${quoteIdentifier(name)}`))
      if (!problem?.includes(movedTable)) throw new Error(`${name} would still be there: ${problem}`)
    }
  } catch (error) {
    throw new Error(`The schema cannot be rewritten: ${messageOf(error)}`, { cause: error })
  } finally {
    database.close()
  }
}

function problemOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
