import type { SqliteDatabase } from '@outgrow/databases'

/** A table whose rows the file holds: an application's, a shadow of a virtual table, or SQLite's own. */
export interface StoredTable {
  name: string
  /** Those whose values are stored; not the ones that are computed when they are read. */
  columns: string[]
  /** Name under which the rowid can be read; undefined where there is none, or all its names are columns'. */
  rowid: string | undefined
}

/** All of them, in the order of the schema, which is the first. Virtual tables keep their rows in their shadows. */
export function storedTables(database: SqliteDatabase): StoredTable[] {
  const tables = database
    .prepare(
      `SELECT s.name, l.wr AS isWithoutRowid
         FROM main.sqlite_schema s JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
        WHERE s.type = 'table' AND l.type IN ('table', 'shadow') ORDER BY s.rowid`,
    )
    .all() as { name: string; isWithoutRowid: number }[]
  const columnsOf = database.prepare("SELECT name, hidden FROM pragma_table_xinfo(?, 'main')")
  // Not where it is in the file: that is no content, and VACUUM changes it.
  const schema = { name: 'sqlite_schema', columns: ['type', 'name', 'tbl_name', 'sql'], rowid: undefined }
  return [
    schema,
    ...tables.map(({ name, isWithoutRowid }) => {
      const all = columnsOf.all(name) as { name: string; hidden: number }[]
      return {
        name,
        // 2: generated, and not stored
        columns: all.filter(({ hidden }) => hidden !== 2).map((column) => column.name),
        rowid: isWithoutRowid === 1 ? undefined : rowidName(all.map((column) => column.name)),
      }
    }),
  ]
}

function rowidName(columns: string[]): string | undefined {
  const taken = new Set(columns.map((name) => name.toLowerCase()))
  return ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name))
}
