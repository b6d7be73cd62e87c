import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { PlannedTable } from '../../../model/plan.ts'
import type { StaticFile } from './page-file.ts'

/** Where the rows of a table lie, and how its columns lie in them. It can be sent to a thread. */
export interface TableLayout {
  file: StaticFile
  root: number
  /** How many columns its records have, those included that are not moved. */
  width: number
  /** The first and the last rowid, as SQLite finds them. */
  rowids: { first: bigint; last: bigint } | undefined
  /** Of the planned columns. */
  columns: ColumnLayout[]
}

interface ColumnLayout {
  /** Its place in a record; undefined where it is another name of the rowid. */
  place: number | undefined
  /** Its values are REAL, of which those without a fraction are stored as integers. */
  isReal: boolean
}

/** How a table lies in its file, or in words why its pages are not read. */
export function layoutOf(
  database: SqliteDatabase,
  file: StaticFile,
  { source, columns: planned }: PlannedTable,
): TableLayout | string {
  if (source.virtual) return 'it is a virtual table'
  if (source.rowid === undefined) return 'it has no rowid that can be named'
  const columns = database
    .prepare('SELECT name, type, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid')
    .all(source.name) as { name: string; type: string; pk: number; hidden: number }[]
  if (columns.some(({ hidden }) => hidden !== 0)) return 'it has generated columns'
  const roots = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .pluck()
    .all(source.name)
  const [root] = roots
  if (roots.length !== 1 || typeof root !== 'number' || root < 2) return 'its place in the file is unclear'
  // A key that is no other name of the rowid has an index of its own.
  const keys = columns.filter(({ pk }) => pk > 0)
  const hasKeyIndex =
    database.prepare("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'").get(source.name) !== undefined
  const alias = keys.length === 1 && !hasKeyIndex ? keys[0] : undefined
  const layouts: ColumnLayout[] = []
  for (const { source: name } of planned) {
    const place = columns.findIndex((column) => column.name === name)
    const column = columns[place]
    // A name that is no text finds nothing where SQLite is asked.
    if (column === undefined || name.includes('\uFFFD')) return 'its columns are unclear'
    layouts.push({ place: column === alias ? undefined : place, isReal: isReal(column.type) })
  }
  return { file, root, width: columns.length, rowids: rowidsOf(database, source), columns: layouts }
}

function rowidsOf(database: SqliteDatabase, { name, rowid }: PlannedTable['source']): TableLayout['rowids'] {
  // Two statements: SQLite looks up an end of the tree only when it is asked for one.
  const end = (which: 'min' | 'max') =>
    database
      .prepare(`SELECT ${which}(${rowid}) FROM ${quoteIdentifier(name)}`)
      .pluck()
      .safeIntegers(true)
      .get() as bigint | null
  const [first, last] = [end('min'), end('max')]
  return first === null || last === null ? undefined : { first, last }
}

/** Whether a declared type has the affinity REAL. Source: "Datatypes In SQLite" of SQLite's documentation, 3.1. */
function isReal(type: string): boolean {
  return !/INT|CHAR|CLOB|TEXT|BLOB/i.test(type) && /REAL|FLOA|DOUB/i.test(type)
}
