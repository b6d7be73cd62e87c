import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { writeMigrationState, type StoredMigration } from '@outgrow/schema'
import type { PreparedSchema } from '../model/prepared-schema.ts'
import { finalSql, type Staging } from '../model/staging.ts'

/** The history's entries; what was added for the file's sake is part of the first one, where that is ours. */
export function baselineOf({ baseline, hasMigrations }: PreparedSchema, staging: Staging): StoredMigration[] {
  const { statements, views } = staging.carried
  const added = [...statements, ...views].map((sql) => `${finalSql(sql, staging)};`)
  const [init] = baseline
  if (hasMigrations || added.length === 0 || !init) return baseline
  return [
    {
      ...init,
      sql: `${init.sql.trimEnd()}\n\n-- What the SQLite file has beyond the Prisma schema\n${added.join('\n')}\n`,
    },
  ]
}

/** Where the history's first entry belongs. */
export type BaselinePlace = Pick<PreparedSchema, 'postgresDirectory' | 'postgresSchema' | 'hasMigrations'>

/**
 * Writes the history's first entry beside the generated schema, so that the next migration can build on it.
 * @returns what was written, in words
 */
export function writeBaselineFiles(
  { postgresDirectory, postgresSchema, hasMigrations }: BaselinePlace,
  { replaces }: Staging,
  [init]: StoredMigration[],
): string[] {
  if (hasMigrations || replaces || !init) return []
  const folder = join(postgresDirectory, 'migrations', init.name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'migration.sql'), init.sql)
  writeMigrationState(join(folder, '..'), 'postgres', postgresSchema)
  const schema = join(postgresDirectory, 'schema.prisma')
  const isNew = !existsSync(schema)
  if (isNew) writeFileSync(schema, postgresSchema)
  const shown = relative(process.cwd(), postgresDirectory) || '.'
  return [
    `Wrote the first Postgres migration, ${join(shown, 'migrations', init.name)}${isNew ? `, and ${join(shown, 'schema.prisma')}` : ''}.`,
  ]
}
