import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  atomicPostgresScript,
  atomicSqliteScript,
  engineAdapter,
  parseDatabaseUrl,
  pooled,
  refusePooled,
  requireDirect,
  ScriptError,
  withMigrationLock,
  withPostgres,
  type LiveEngineAdapter,
  type ScriptNote,
} from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm'
import { withSchemaEngine, type Provider } from '../engine/schema-engine.ts'
import type { SchemaSource } from '../source.ts'
import { ensureExtensions } from './extensions.ts'
import { historyOf, type History, type StoredMigration } from './history.ts'
import { finishSql, readRecords, migrationStateOf, writeLogs } from './records.ts'
import { failedMigration } from './run.ts'

export interface DeployOptions {
  /** Create extensions that migrations use and none creates. */
  createExtensions?: boolean
}

export interface Deployed {
  provider: Provider
  /** Folder of the migrations. */
  folder: string
  applied: string[]
  /** What was run otherwise than it is written, and extensions that were made. */
  notes: string[]
}

/**
 * Applies the migrations that a database lacks, each whole or not at all, with `_prisma_migrations` as Prisma writes it.
 * What can be known beforehand is refused before anything runs.
 * @throws Failure OUTGROW_MIGRATION_NONE, OUTGROW_MIGRATION_NOT_ATOMIC, OUTGROW_MIGRATION_UNRESOLVED,
 *   OUTGROW_MIGRATION_NO_HISTORY, OUTGROW_EXTENSION_MISSING, OUTGROW_MIGRATION_FAILED, OUTGROW_TARGET_POOLED,
 *   OUTGROW_PROVIDER_UNSUPPORTED
 */
export async function deployMigrations(
  source: SchemaSource,
  databaseUrl: string,
  { createExtensions = false }: DeployOptions = {},
): Promise<Deployed> {
  const history = existingHistory(source, parseDatabaseUrl(databaseUrl).kind)
  return whileLocked(databaseUrl, true, () => deployPending(history, databaseUrl, createExtensions))
}

async function deployPending(
  history: History,
  databaseUrl: string,
  createExtensions: boolean,
): Promise<Deployed> {
  const { provider, folder, migrations } = history
  const pending = await pendingMigrations(history, databaseUrl)
  if (pending.length === 0) return { provider, folder, applied: [], notes: [] }
  for (const migration of pending) refuseUnlessAtomic(provider, migration)
  const notes: string[] = []
  if (provider === 'postgres') {
    const made = await withPostgres(databaseUrl, (client) =>
      ensureExtensions(client, pending, createExtensions),
    )
    notes.push(...made.map((name) => `Created extension ${name}.`))
  }
  return withEngine(databaseUrl, pending, async (engine, live) => {
    const { appliedMigrationNames: applied } = await engine.applyMigrations({
      migrationsList: migrationList(folder, migrations),
      filters: { externalTables: [], externalEnums: [] },
    })
    notes.push(...live.notes.map(({ line, text }: ScriptNote) => `line ${line}: ${text}`))
    return { provider, folder, applied, notes }
  })
}

/**
 * Runs `use` while no other deployment goes on.
 * @param wait false: refuse where one does
 * @throws Failure OUTGROW_MIGRATION_RUNNING, OUTGROW_TARGET_POOLED, OUTGROW_PROVIDER_UNSUPPORTED
 */
export async function whileLocked<Result>(
  databaseUrl: string,
  wait: boolean,
  use: () => Promise<Result>,
): Promise<Result> {
  if (parseDatabaseUrl(databaseUrl).kind === 'postgres') requireDirect(databaseUrl, 'migrations')
  await refusePooled(databaseUrl)
  const done: { result: Result }[] = []
  try {
    await withMigrationLock(databaseUrl, wait, async () => done.push({ result: await use() }))
  } catch (error) {
    if (/unsupported startup parameter/i.test(messageOf(error)))
      throw pooled(`This URL points to a pooler: ${messageOf(error)}`)
    throw error
  }
  const [first] = done
  if (first) return first.result
  throw new Failure({
    code: 'OUTGROW_MIGRATION_RUNNING',
    message: 'Migrations are being applied to this database right now.',
    why: 'The outcome is known only when that run has ended.',
    fix: 'Wait for it to end; outgrow schema status shows its progress.',
  })
}

/** @throws Failure OUTGROW_MIGRATION_NONE */
export function existingHistory(source: SchemaSource, provider: Provider): History {
  const history = historyOf(source, provider)
  if (history.migrations.length > 0) return history
  throw new Failure({
    code: 'OUTGROW_MIGRATION_NONE',
    message: `There are no ${provider === 'sqlite' ? 'SQLite' : 'Postgres'} migrations in ${history.folder}.`,
    fix: 'Write the first one with outgrow schema migrate init.',
  })
}

async function pendingMigrations({ migrations }: History, databaseUrl: string): Promise<StoredMigration[]> {
  const { records, hasTables } = await readRecords(databaseUrl)
  if (!records && hasTables) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_NO_HISTORY',
      message: 'This database has tables but no migration history.',
      fix: 'Run outgrow schema baseline --to <url>, which compares the tables with the migrations and records those already applied.',
    })
  }
  const { pending, failed } = migrationStateOf(migrations, records ?? [])
  const [first] = failed
  if (first) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_UNRESOLVED',
      message: `${first.name} failed earlier and has not been resolved.`,
      why: first.logs?.trim().split('\n').at(-1) ?? 'The run that started it was interrupted.',
      fix: `If nothing of it is in the database: outgrow schema resolve --rolled-back ${first.name}. If you have applied all of it by hand: outgrow schema resolve --applied ${first.name}.`,
    })
  }
  return migrations.filter(({ name }) => pending.includes(name))
}

/** @throws Failure OUTGROW_MIGRATION_NOT_ATOMIC */
function refuseUnlessAtomic(provider: Provider, { name, sql }: StoredMigration): void {
  try {
    if (provider === 'sqlite') atomicSqliteScript(sql)
    else atomicPostgresScript(sql)
  } catch (error) {
    if (error instanceof ScriptError) throw failedMigration(name, error)
    throw error
  }
}

/** Runs `use` with the schema engine over a live database; its failures are said in this product's words. */
export async function withEngine<Result>(
  databaseUrl: string,
  migrations: StoredMigration[],
  use: (engine: SchemaEngine, live: LiveEngineAdapter) => Promise<Result>,
): Promise<Result> {
  const live = await engineAdapter(databaseUrl, (script) => {
    const migration = migrations.find(({ sql }) => sql === script)
    return migration && finishSql(databaseUrl, migration.name)
  })
  try {
    return await withSchemaEngine(live.adapter, (engine) => use(engine, live))
  } catch (cause) {
    const said = engineMessage(cause, live.adapter)
    if (/unsupported startup parameter/i.test(said)) throw pooled(`This URL points to a pooler: ${said}`)
    const failed = live.failure()
    const { path } = parseDatabaseUrl(databaseUrl) as { path?: string }
    if (!failed && path !== undefined && isBusy.test(said)) throw busy(path, cause)
    if (failed) {
      await live.dispose()
      // The record that is open says which one it is: two migrations may have one text.
      const { records = [] } = await readRecords(databaseUrl).catch(() => ({ records: [] }))
      const open = records.find(({ finished, rolledBack }) => !finished && !rolledBack)
      const name = open?.name ?? migrations.find(({ sql }) => sql === failed.script)?.name ?? 'a migration'
      const { code } = (failed.error.cause ?? {}) as { code?: string }
      const number = live.adapter.provider === 'sqlite' ? '1' : (code ?? '')
      await writeLogs(databaseUrl, name, number, `ERROR: ${failed.error.message}`).catch(() => {}) // the engine's own words stand there
      throw failedMigration(name, failed.error, true)
    }
    throw new Failure({
      code: 'OUTGROW_MIGRATION_FAILED',
      message: said,
      why: 'Prisma’s schema engine reported this error.',
      fix: 'Run outgrow schema status to see the state of the database.',
      cause,
    })
  } finally {
    await live.dispose()
  }
}

/** What SQLite, the adapter and the engine call a lock that somebody else holds. */
const isBusy = /SocketTimeout|database is locked|SQLITE_(BUSY|LOCKED)/

function busy(path: string, cause: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_BUSY',
    message: `${path} is open in another process.`,
    why: 'Migrations need exclusive access to the file, as Prisma’s do. Nothing was run.',
    fix: 'Stop the application while its migrations run.',
    cause,
  })
}

export function migrationList(folder: string, migrations: StoredMigration[]): MigrationList {
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

/** The engine hides a driver's error behind a number, which the adapter's registry resolves; its trace is of no use. */
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
    return text.replace(/\n +(0: |at )[\s\S]*$/, '')
  }
}
