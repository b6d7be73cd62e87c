import { runScript, ScriptError } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { StoredMigration } from './history.ts'

/**
 * Runs migrations on a database without recording them.
 * @throws Failure OUTGROW_MIGRATION_FAILED
 */
export async function runMigrations(databaseUrl: string, migrations: StoredMigration[]): Promise<void> {
  for (const { name, sql } of migrations) {
    try {
      await runScript(databaseUrl, sql)
    } catch (error) {
      if (error instanceof ScriptError) throw failedMigration(name, error)
      throw error
    }
  }
}

/** A migration that cannot run, or was refused by the database: its file and line, and the way on. */
export function failedMigration(name: string, error: ScriptError, recorded = false): Failure {
  const { code, detail, hint } = (error.cause ?? {}) as { code?: string; detail?: string; hint?: string }
  const place = `${name}/migration.sql:${error.line}`
  if (error.beforehand) {
    return new Failure({
      code: 'OUTGROW_MIGRATION_NOT_ATOMIC',
      message: `${place}: ${error.message}`,
      why: 'A migration runs completely or not at all. Nothing was run.',
      fix: error.fix ?? 'Split the migration.',
    })
  }
  const after = recorded
    ? `then run outgrow schema resolve --rolled-back ${name}, and deploy again`
    : 'then try again'
  return new Failure({
    code: 'OUTGROW_MIGRATION_FAILED',
    message: `${place}: ${[error.message, detail, hint].filter(Boolean).join(' ')}`,
    why: 'The database rejected the migration and is unchanged.',
    fix: `${error.fix ?? (code === '55P04' ? 'A new enum value can be used only in a later migration: move the statements that use it there' : 'Correct the migration or the database')}; ${after}.`,
    cause: error.cause,
  })
}
