import { readSourceTables, type SourceTable, type SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/**
 * The file's tables; at least one of them is an application's.
 * @throws Failure OUTGROW_SOURCE_EMPTY
 */
export function readTables(database: SqliteDatabase): SourceTable[] {
  const tables = readSourceTables(database)
  if (tables.some(({ owner }) => owner === undefined)) return tables
  throw new Failure({
    code: 'OUTGROW_SOURCE_EMPTY',
    message: `${database.name} holds no tables.`,
    why: 'SQLite takes an empty file for an empty database, and makes one where a path is mistyped.',
    fix: 'Check --from: it must be the file that the application writes to.',
  })
}
