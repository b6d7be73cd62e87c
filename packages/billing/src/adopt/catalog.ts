import { quoted } from '../prisma/sql/quoted.ts'
import type { AdoptConnection } from './connection.ts'
import { tableSql, type TableName } from './table-name.ts'

/** What the values of a column are. `any`: it has none yet, and may hold anything. */
export type ColumnKind = 'any' | 'boolean' | 'bytes' | 'json' | 'number' | 'other' | 'text' | 'time'

export interface Column {
  name: string
  kind: ColumnKind
  /** As the database calls its type. */
  type: string
}

export interface KeyColumn {
  /** As SQL takes it. */
  sql: string
  /** What its text is cast to; undefined where each value has a type of its own. */
  type: string | undefined
}

/** A table or a view. */
export interface Table {
  /** As SQL takes it. */
  sql: string
  columns: Column[]
  /** Columns that order its rows and tell each from the others; empty where it has none. */
  key: KeyColumn[]
  /** Where a row lies, in a table without a key; undefined where that tells no row from another. */
  place: KeyColumn | undefined
}

/** Undefined where there is no such table or view. */
export function describeTable(connection: AdoptConnection, name: TableName): Promise<Table | undefined> {
  return connection.provider === 'sqlite' ? ofSqlite(connection, name) : ofPostgres(connection, name)
}

/** Whether one column alone is unique. */
export async function isUnique(
  connection: AdoptConnection,
  table: TableName,
  column: string,
): Promise<boolean> {
  const rows =
    connection.provider === 'sqlite'
      ? await connection.query(
          `SELECT 1 FROM pragma_index_list(?) l WHERE l."unique" AND NOT l.partial
              AND (SELECT group_concat(name) FROM pragma_index_info(l.name)) = ?`,
          [table.name, column],
        )
      : await connection.query(
          `SELECT 1 FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
            WHERE x.indrelid = to_regclass(?) AND x.indisunique AND x.indnkeyatts = 1 AND x.indpred IS NULL AND a.attname = ?`,
          [tableSql(table), column],
        )
  return rows.length > 0
}

/** Names that nothing new can have: of tables, views, indexes and types, in small letters. */
export async function takenNames({ provider, query }: AdoptConnection): Promise<Set<string>> {
  const rows = await query(
    provider === 'sqlite'
      ? 'SELECT lower(name) AS name FROM sqlite_schema'
      : `SELECT lower(relname) AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace
         UNION SELECT lower(typname) FROM pg_type WHERE typnamespace = current_schema()::regnamespace`,
  )
  return new Set(rows.map(({ name }) => String(name)))
}

async function ofPostgres({ query }: AdoptConnection, name: TableName): Promise<Table | undefined> {
  const sql = tableSql(name)
  const columns = await query(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, t.typcategory AS category, c.relkind AS relation,
            c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhparent = c.oid) AS inherited
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.oid = to_regclass(?) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY a.attnum`,
    [sql],
  )
  const [first] = columns
  if (first === undefined) return undefined
  const described = columns.map((column) => ({
    name: String(column.name),
    type: String(column.type),
    kind: kindOf(String(column.type), String(column.category)),
  }))
  // Its rows are also those of the tables that inherit from it: there its key is none, and places repeat.
  if (first.inherited === true) return { sql, columns: described, key: [], place: undefined }
  const key = await query(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
       FROM pg_attribute a JOIN (
         SELECT x.indrelid, x.indkey::smallint[] AS keys FROM pg_index x
          WHERE x.indrelid = to_regclass(?) AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
            AND x.indnkeyatts = x.indnatts
            AND NOT EXISTS (SELECT 1 FROM pg_attribute n WHERE n.attrelid = x.indrelid AND n.attnum = ANY (x.indkey::smallint[]) AND NOT n.attnotnull)
          ORDER BY x.indisprimary DESC, x.indexrelid LIMIT 1) i ON a.attrelid = i.indrelid AND a.attnum = ANY (i.keys)
      ORDER BY array_position(i.keys, a.attnum)`,
    [sql],
  )
  return {
    sql,
    columns: described,
    key: key.map((column) => ({ sql: quoted(String(column.name)), type: String(column.type) })),
    place: ['r', 'm'].includes(String(first.relation)) ? { sql: 'ctid', type: 'tid' } : undefined,
  }
}

function kindOf(type: string, category: string): ColumnKind {
  if (type === 'json' || type === 'jsonb') return 'json'
  if (type === 'bytea') return 'bytes'
  const kinds: Record<string, ColumnKind> = { S: 'text', E: 'text', N: 'number', B: 'boolean', D: 'time' }
  return kinds[category] ?? 'other'
}

async function ofSqlite({ query }: AdoptConnection, { schema, name }: TableName): Promise<Table | undefined> {
  const [found] = await query(
    `SELECT schema, name, type, wr FROM pragma_table_list(?)
      WHERE ? IS NULL OR lower(schema) = lower(?) ORDER BY name = ? DESC`,
    [name, schema ?? null, schema ?? null, name],
  )
  if (found === undefined) return undefined
  const sql = tableSql({ schema: String(found.schema), name: String(found.name) })
  const described = await query('SELECT name, type, pk FROM pragma_table_xinfo(?, ?)', [
    found.name,
    found.schema,
  ])
  const columns: Column[] = []
  for (const column of described) {
    const text = String(column.name)
    // SQLite holds anything in any column: a value says more than the column's declaration.
    const [value] = await query(
      `SELECT typeof(${quoted(text)}) AS type FROM ${sql} WHERE ${quoted(text)} IS NOT NULL LIMIT 1`,
    )
    columns.push({ name: text, kind: sqliteKind(value?.type), type: String(value?.type ?? column.type) })
  }
  const names = columns.map((column) => column.name.toLowerCase())
  const rowid = ['rowid', '_rowid_', 'oid'].find((alias) => !names.includes(alias))
  if (found.type === 'table' && found.wr === 0 && rowid !== undefined)
    return { sql, columns, key: [{ sql: rowid, type: 'INTEGER' }], place: undefined }
  const primary = described.filter(({ pk }) => Number(pk) > 0 && found.type === 'table' && found.wr === 1)
  const key = primary
    .toSorted((a, b) => Number(a.pk) - Number(b.pk))
    .map((column) => ({ sql: quoted(String(column.name)), type: undefined }))
  return { sql, columns, key, place: undefined }
}

function sqliteKind(type: unknown): ColumnKind {
  const kinds: Record<string, ColumnKind> = { text: 'text', blob: 'bytes', integer: 'number', real: 'number' }
  return kinds[String(type)] ?? 'any'
}
