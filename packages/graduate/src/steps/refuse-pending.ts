import { join } from 'node:path'
import { Failure } from '@outgrow/kit'
import type { PreparedSchema } from '../model/prepared-schema.ts'

/**
 * The target is made by the project's migrations: rows would arrive in tables that the schema does not mean any more.
 * @throws Failure OUTGROW_MIGRATION_PENDING
 */
export function refusePending({ isPending, postgresDirectory }: PreparedSchema): void {
  if (isPending) throw pending(join(postgresDirectory, 'migrations'))
}

/**
 * The same of a file that the project's SQLite migrations make.
 * @throws Failure OUTGROW_MIGRATION_PENDING
 */
export function refusePendingFile({ sqlite: { isPending, folder } }: PreparedSchema): void {
  if (isPending) throw pending(folder)
}

function pending(folder: string): Failure {
  return new Failure({
    code: 'OUTGROW_MIGRATION_PENDING',
    message: `The schema has changed since the last migration in ${folder}, which makes the tables of the target.`,
    fix: 'Run outgrow schema migrate <name> first. If only trials have used that folder, delete it instead: the next migrate writes it anew.',
  })
}
