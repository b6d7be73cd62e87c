import { readSourceTables, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { checkPages } from './table-check.ts'

/**
 * The file's tables; at least one of them is an application's.
 * @throws Failure OUTGROW_SOURCE_EMPTY, OUTGROW_SOURCE_DAMAGED
 */
export function readTables(database: SqliteDatabase): SourceTable[] {
  checkPages(database, 'sqlite_schema') // a table that damage hides would be missed by nobody
  const tables = readSourceTables(database)
  if (tables.some(({ owner }) => owner === undefined)) return tables
  throw new Failure({
    code: 'OUTGROW_SOURCE_EMPTY',
    message: `${database.name} contains no tables.`,
    why: 'SQLite treats an empty file as an empty database, and creates one if the path is mistyped.',
    fix: 'Check --from: it must be the file that the application writes to.',
  })
}
