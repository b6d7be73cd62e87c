import type { SqliteDatabase } from './sqlite.ts'

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
}

/** Tables that SQLite, Prisma or a replication tool keeps for itself. */
const bookkeeping: [RegExp, string][] = [
  [/^sqlite_/, 'SQLite’s own'],
  [/^_prisma_migrations$/, 'Prisma’s migration history'],
  [/^_litestream_/, 'Litestream’s replication state'],
  [/^_cf_/, 'Cloudflare’s own'],
  [/^(libsql_|_libsql_)/, 'libSQL’s own'],
  [/^_outgrow_/, 'this product’s own'],
]

/** Whose bookkeeping a table is, or undefined for the application's tables. */
export function ownerOfTable(name: string, tables: { name: string; sql: string }[]): string | undefined {
  const known = bookkeeping.find(([pattern]) => pattern.test(name))
  if (known) return known[1]
  const virtual = tables.find(
    (table) => /^create\s+virtual\s+table/i.test(table.sql) && name.startsWith(`${table.name}_`),
  )
  if (virtual) return `shadow of the virtual table ${virtual.name}`
  const own = tables.find((table) => table.name === name)
  return own && /^create\s+virtual\s+table/i.test(own.sql) ? 'a virtual table' : undefined
}

/** Every table of the file, in the order of its schema. */
export function readSourceTables(database: SqliteDatabase): SourceTable[] {
  const rows = database
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL ORDER BY rowid")
    .all() as { name: string; sql: string }[]
  return rows.map(({ name, sql }) => {
    const columns = readColumns(database, name, sql)
    const primaryKey = columns
      .filter(({ key }) => key > 0)
      .toSorted((a, b) => a.key - b.key)
      .map((c) => c.name)
    return {
      name,
      sql,
      columns,
      primaryKey,
      uniqueKeys: readUniqueKeys(database, name),
      foreignKeys: readForeignKeys(database, name),
      rowid: /^create\s+virtual/i.test(sql) ? undefined : rowidName(database, name, columns),
    }
  })
}

function readColumns(database: SqliteDatabase, table: string, sql: string): SourceColumn[] {
  if (/^create\s+virtual/i.test(sql)) return []
  const rows = database.prepare('SELECT * FROM pragma_table_xinfo(?)').all(table) as {
    name: string
    type: string
    notnull: number
    dflt_value: string | null
    pk: number
    hidden: number
  }[]
  return rows.map((row) => ({
    name: row.name,
    declaredType: row.type,
    notNull: row.notnull === 1,
    defaultSql: row.dflt_value,
    key: row.pk,
    generated: row.hidden !== 0,
  }))
}

function readUniqueKeys(database: SqliteDatabase, table: string): string[][] {
  const indexes = database
    .prepare('SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0')
    .all(table) as { name: string }[]
  return indexes
    .map(({ name }) =>
      (
        database.prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno').all(name) as {
          name: string | null
        }[]
      ).map((column) => column.name),
    )
    .filter((columns): columns is string[] => columns.every((name) => name !== null))
}

function readForeignKeys(database: SqliteDatabase, table: string): SourceForeignKey[] {
  const rows = database.prepare('SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq').all(table) as {
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
    database.prepare(`SELECT ${name} FROM "${table.replaceAll('"', '""')}" LIMIT 0`)
    return name
  } catch {
    return undefined // WITHOUT ROWID
  }
}
