import { Failure } from '@outgrow/kit'
import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { PlannedTable } from '../../model/plan.ts'
import { damagedSource } from './damaged.ts'

/**
 * Has SQLite walk the pages of a table, and of its indexes, before anything is looked up in them: what damage hides from a
 * search, such as a row behind a key that is out of order, is left out of every answer without an error.
 * @throws Failure OUTGROW_SOURCE_DAMAGED
 */
export function checkPages(database: SqliteDatabase, table: string): void {
  const found = quickCheck(database, table)
  // What it says of values, such as NULL in a required column, is for the encoders to judge; pages come first.
  if (!found.startsWith('***')) return
  const facts = found.split('\n').slice(1).join('; ')
  throw damagedSource(`SQLite finds damage in the pages of ${table}: ${facts.slice(0, 200)}.`)
}

/** The first line of what the check finds. */
function quickCheck(database: SqliteDatabase, table: string): string {
  try {
    return database.prepare("SELECT * FROM pragma_quick_check(?, 'main')").pluck().get(table) as string
  } catch (error) {
    // A collation that only the application defines: rows are read without it, and then counted.
    if ((error as { code?: string }).code === 'SQLITE_ERROR') return ''
    throw error
  }
}

/**
 * How many rows a table has by what its pages say, of whichever keys: nothing is searched for, and no index read.
 * Undefined for a virtual table, which has no pages of its own.
 */
export function countRows(database: SqliteDatabase, { source }: PlannedTable): number | undefined {
  if (source.virtual) return undefined
  return database
    .prepare(`SELECT count(*) FROM ${quoteIdentifier(source.name)} NOT INDEXED`)
    .pluck()
    .get() as number
}

/** @throws Failure OUTGROW_SOURCE_DAMAGED where a table has more rows than were read, or fewer */
export function holdAgainst(counted: number | undefined, { source }: PlannedTable, rowsRead: number): void {
  if (counted === undefined || counted === rowsRead) return
  const { code, why } = damagedSource('')
  throw new Failure({
    code,
    message: `SQLite counts ${counted} rows in ${source.name}, but ${rowsRead} were read.`,
    why,
    fix: 'Run `PRAGMA integrity_check` on the file. If it finds damage, recover a copy with `sqlite3 file ".recover"`, and move that; if it says ok, report this.',
  })
}
