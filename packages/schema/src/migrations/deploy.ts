import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { engineAdapter, parseDatabaseUrl } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { MigrationList } from '@prisma/schema-engine-wasm'
import { withSchemaEngine, type Provider } from '../engine/schema-engine.ts'

/** One migration of a folder in Prisma Migrate's layout. */
export interface StoredMigration {
  name: string
  sql: string
}

/** Migrations of a folder, oldest first; none when the folder does not exist. */
export function readMigrations(folder: string): StoredMigration[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map(({ name }) => ({ name, sql: readFileSync(join(folder, name, 'migration.sql'), 'utf8') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Applies the migrations that a database lacks, with `_prisma_migrations` as Prisma writes it.
 * @param home folder that holds `sqlite/` and `postgres/`
 * @throws Failure OUTGROW_MIGRATION_FAILED, OUTGROW_MIGRATION_NONE
 */
export async function deployMigrations(
  home: string,
  databaseUrl: string,
): Promise<{ provider: Provider; applied: string[] }> {
  const provider: Provider = parseDatabaseUrl(databaseUrl).kind
  const folder = join(home, provider, 'migrations')
  const migrations = readMigrations(folder)
  if (migrations.length === 0) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_NONE',
      message: `There are no migrations in ${folder}.`,
      fix: 'Write the first one with outgrow schema migrate init.',
    })
  }
  const { adapter, dispose } = await engineAdapter(databaseUrl)
  try {
    const applied = await withSchemaEngine(adapter, async (engine) => {
      const result = await engine.applyMigrations({
        migrationsList: migrationList(folder, migrations),
        filters: { externalTables: [], externalEnums: [] },
      })
      return result.appliedMigrationNames
    })
    return { provider, applied }
  } catch (cause) {
    const said = engineMessage(cause, adapter)
    if (/unsupported startup parameter/i.test(said)) throw pooled(said)
    throw new Failure({
      code: 'OUTGROW_MIGRATION_FAILED',
      message: `A migration could not be applied: ${said}`,
      why: 'The database refused a statement, or its history differs from the folder.',
      fix: 'Correct the migration or the database; `prisma migrate status` shows the same history.',
      cause,
    })
  } finally {
    await dispose()
  }
}

function pooled(said: string): Failure {
  return new Failure({
    code: 'OUTGROW_TARGET_POOLED',
    message: `This URL leads to a pooler: ${said}`,
    why: 'Migrations need a session of their own, with its time zone and its search path.',
    fix: 'Pass the direct URL (often another port or host name, such as DIRECT_URL) for migrations; keep the pooled one for the application.',
  })
}

function migrationList(folder: string, migrations: StoredMigration[]): MigrationList {
  const lock = join(folder, 'migration_lock.toml')
  return {
    baseDir: folder,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lock) ? readFileSync(lock, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  }
}

/** The engine hides a driver's error behind a number, which the adapter's registry resolves. */
function engineMessage(
  error: unknown,
  adapter: { errorRegistry: { consumeError(id: number): { error: unknown } | undefined } },
): string {
  const text = messageOf(error)
  const id = /External error id#(\d+)/.exec(text)?.[1]
  const hidden = id === undefined ? undefined : adapter.errorRegistry.consumeError(Number(id))
  if (hidden) return messageOf(hidden.error)
  try {
    return (JSON.parse(text) as { message: string }).message
  } catch {
    return text
  }
}
