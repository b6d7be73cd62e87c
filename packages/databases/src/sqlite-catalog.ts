import { messageOf } from '@outgrow/kit'
import { quoteIdentifier } from './quote.ts'
import type { SqliteDatabase } from './sqlite.ts'
import { hasHiddenRowid, readVirtual, shadowOwner, type VirtualTable } from './sqlite-virtual.ts'

export interface SourceColumn {
  name: string
  declaredType: string
  notNull: boolean
  defaultSql: string | null
  /** Position in the primary key from 1, or 0. */
  key: number
  generated: boolean
}

export interface SourceForeignKey {
  parent: string
  columns: string[]
  /** Empty when the parent's primary key is meant. */
  parentColumns: string[]
  /** As SQLite writes it: `NO ACTION`, `CASCADE`. */
  onDelete: string
  onUpdate: string
}

export interface SourceTable {
  name: string
  sql: string
  columns: SourceColumn[]
  primaryKey: string[]
  /** Full (not partial) unique keys over plain columns. */
  uniqueKeys: string[][]
  foreignKeys: SourceForeignKey[]
  /** Name under which the rowid can be read; undefined when there is none. */
  rowid: string | undefined
  virtual: VirtualTable | undefined
  /** Who keeps the table, in words; undefined for the application's own. */
  owner: string | undefined
}

/** Tables that SQLite, Prisma or a replication tool keeps for itself. */
const bookkeeping: [RegExp, string][] = [
  [/^sqlite_/, 'internal to SQLite'],
  [/^_prisma_migrations$/, 'Prisma’s migration history'],
  [/^_litestream_/, 'Litestream’s replication state'],
  [/^_cf_/, 'internal to Cloudflare'],
  [/^(libsql_|_libsql_)/, 'internal to libSQL'],
  [/^_outgrow_/, 'internal to Outgrow'],
]

/** Every table of the file, in the order of its schema. */
export function readSourceTables(database: SqliteDatabase): SourceTable[] {
  const rows = database
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL ORDER BY rowid")
    .all() as { name: string; sql: string }[]
  const virtuals = rows.flatMap(({ name, sql }) => {
    const virtual = readVirtual(sql)
    return virtual ? [{ name, virtual }] : []
  })
  const pragmas = preparePragmas(database)
  return rows.map(({ name, sql }) => {
    const known = virtuals.find((one) => one.name === name)?.virtual
    const virtual = known && { ...known, ...readVirtualRows(database, name) }
    const columns = readColumns(pragmas, name, virtual)
    const primaryKey = columns
      .filter(({ key }) => key > 0)
      .toSorted((a, b) => a.key - b.key)
      .map((c) => c.name)
    return {
      name,
      sql,
      columns,
      primaryKey,
      uniqueKeys: virtual ? [] : readUniqueKeys(pragmas, name),
      foreignKeys: virtual ? [] : readForeignKeys(pragmas, name),
      rowid: virtual ? undefined : rowidName(database, name, columns),
      virtual,
      owner: ownerOf(name, virtual, virtuals),
    }
  })
}

type Pragmas = ReturnType<typeof preparePragmas>

/** Prepared once for all tables: what a statement takes is given back only when it is collected as garbage. */
function preparePragmas(database: SqliteDatabase) {
  return {
    columns: database.prepare('SELECT * FROM pragma_table_xinfo(?)'),
    uniqueIndexes: database.prepare(
      'SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0',
    ),
    indexColumns: database.prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno'),
    foreignKeys: database.prepare('SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq'),
  }
}

/** Whose a table is, when it is not the application's, in words. */
function ownerOf(
  name: string,
  virtual: VirtualTable | undefined,
  virtuals: Parameters<typeof shadowOwner>[1],
): string | undefined {
  const known = bookkeeping.find(([pattern]) => pattern.test(name))
  if (known) return known[1]
  const owner = shadowOwner(name, virtuals)
  if (owner !== undefined) return `shadow of the virtual table ${owner}`
  if (virtual?.content !== 'elsewhere') return undefined
  return virtual.contentTable === undefined
    ? `a view of other tables (${virtual.module})`
    : `a search index (${virtual.module}) over ${virtual.contentTable}`
}

/** A module that this SQLite lacks, or a function that the rows are read with, is a problem. */
function readVirtualRows(database: SqliteDatabase, name: string): Pick<VirtualTable, 'rows' | 'problem'> {
  const table = quoteIdentifier(name)
  try {
    database.prepare(`SELECT * FROM ${table} LIMIT 1`).get()
    const rows = database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
    return { rows, problem: undefined }
  } catch (error) {
    return { rows: 0, problem: messageOf(error) }
  }
}

function readColumns(pragmas: Pragmas, table: string, virtual: VirtualTable | undefined): SourceColumn[] {
  if (virtual?.problem !== undefined) return []
  const rows = pragmas.columns.all(table) as {
    name: string
    type: string
    notnull: number
    dflt_value: string | null
    pk: number
    hidden: number
  }[]
  if (virtual) {
    // A hidden column of a virtual table is no data: it takes the query, or gives the rank.
    const names = rows.filter(({ hidden }) => hidden === 0)
    const hidden = hasHiddenRowid(virtual.module)
    return [
      ...(hidden ? [virtualColumn('rowid', 'INTEGER', 1)] : []),
      ...names.map(({ name, type }, at) =>
        virtualColumn(name, type, !hidden && at === 0 && virtual.module.startsWith('rtree') ? 1 : 0),
      ),
    ]
  }
  return rows.map((row) => ({
    name: row.name,
    declaredType: row.type,
    notNull: row.notnull === 1,
    defaultSql: row.dflt_value,
    key: row.pk,
    generated: row.hidden !== 0,
  }))
}

function virtualColumn(name: string, declaredType: string, key: number): SourceColumn {
  return { name, declaredType, notNull: key > 0, defaultSql: null, key, generated: false }
}

function readUniqueKeys(pragmas: Pragmas, table: string): string[][] {
  const indexes = pragmas.uniqueIndexes.all(table) as { name: string }[]
  return indexes
    .map(({ name }) =>
      (
        pragmas.indexColumns.all(name) as {
          name: string | null
        }[]
      ).map((column) => column.name),
    )
    .filter((columns): columns is string[] => columns.every((name) => name !== null))
}

function readForeignKeys(pragmas: Pragmas, table: string): SourceForeignKey[] {
  const rows = pragmas.foreignKeys.all(table) as {
    id: number
    table: string
    from: string
    to: string | null
    on_delete: string
    on_update: string
  }[]
  const keys = new Map<number, SourceForeignKey>()
  for (const row of rows) {
    const key = keys.get(row.id) ?? {
      parent: row.table,
      columns: [],
      parentColumns: [],
      onDelete: row.on_delete,
      onUpdate: row.on_update,
    }
    key.columns.push(row.from)
    if (row.to !== null) key.parentColumns.push(row.to)
    keys.set(row.id, key)
  }
  return [...keys.values()]
}

function rowidName(database: SqliteDatabase, table: string, columns: SourceColumn[]): string | undefined {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()))
  const name = ['rowid', '_rowid_', 'oid'].find((candidate) => !taken.has(candidate))
  if (name === undefined) return undefined
  try {
    database.prepare(`SELECT ${name} FROM ${quoteIdentifier(table)} LIMIT 0`)
    return name
  } catch {
    return undefined // WITHOUT ROWID
  }
}
