import { withScratchDatabase, type ScratchOptions } from '@outgrow/databases'
import type { Generated } from '../generate.ts'
import type { Authored } from './author.ts'
import { historyOf } from './history.ts'
import { runMigrations } from './run.ts'

/**
 * Runs new migrations behind those that were there, each side on an empty database of its own.
 * @returns on what they ran, in words
 * @throws Failure OUTGROW_MIGRATION_FAILED, OUTGROW_MIGRATION_NOT_ATOMIC
 */
export async function proveMigrations(
  generated: Generated,
  { name, migrations }: Authored,
  scratch: ScratchOptions,
): Promise<string> {
  const ran: string[] = []
  for (const { provider, sql } of migrations) {
    const { migrations: before } = historyOf(generated.source, provider)
    await withScratchDatabase(provider, scratch, (url) => runMigrations(url, [...before, { name, sql }]))
    ran.push(provider === 'sqlite' ? 'SQLite' : 'PostgreSQL')
  }
  return ran.join(' and an empty ')
}
