import { join } from 'node:path'
import type { ScratchOptions } from '@outgrow/databases'
import {
  diffDatamodels,
  historyOf,
  proveDialects,
  proveMigrations,
  type PlannedMigrations,
  type Provider,
  type SchemaSource,
} from '@outgrow/schema'

export interface SchemaSteps {
  /** The schema as it was. */
  source: SchemaSource
  /** As much of the new one as the database has already. */
  before: SchemaSource
  /** The schema as it will be. */
  after: SchemaSource
}

/**
 * Plans what a schema gains as a migration of its own provider alone, in the project's own folder: for an application
 * that uses what the other database lacks. Where it has no migrations, there is none to add to.
 */
export async function planOwnMigration(
  provider: Provider,
  { source, before, after }: SchemaSteps,
  scratch: ScratchOptions,
): Promise<PlannedMigrations & { ddl: string }> {
  const textOf = ({ files }: SchemaSource) => files.map(([, text]) => text).join('\n\n')
  const sqlFrom = (from: SchemaSource) => diffDatamodels(provider, textOf(from), textOf(after))
  const { folder, migrations } = historyOf(source, provider)
  const name = `${new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}_billing`
  const path = join(folder, name, 'migration.sql')
  const sql = await sqlFrom(source)
  const own = migrations.length === 0 ? [] : [{ provider, path, sql, isAdopted: true }]
  const authored = { name, migrations: own, warnings: [] }
  const generated = { ...(await proveDialects(after)), outputs: [] }
  const proved = await proveMigrations(generated, authored, scratch)
  return { generated, authored, proved, ddl: await sqlFrom(before) }
}
