import { runSqliteScript, ScriptError, type SqliteDatabase } from '@outgrow/databases'
import { recordApplied } from './records.ts'
import type { StoredMigration } from './history.ts'
import { failedMigration } from './run.ts'

/**
 * Makes the tables of an empty file by its migrations, and records them as Prisma does.
 * @throws Failure OUTGROW_MIGRATION_FAILED, OUTGROW_MIGRATION_NOT_ATOMIC
 */
export function buildFile(database: SqliteDatabase, migrations: readonly StoredMigration[]): void {
  for (const { name, sql } of migrations) {
    try {
      runSqliteScript(database, sql)
    } catch (error) {
      if (error instanceof ScriptError) throw failedMigration(name, error)
      throw error
    }
  }
  recordApplied(database, migrations)
}
