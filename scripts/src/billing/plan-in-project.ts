import { findInbox, inboxSql, takenNames, type AdoptConnection } from '@outgrow/billing/adopt'
import type { ScratchOptions } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import {
  appliedSql,
  diffDatamodels,
  historyOf,
  indexSchema,
  migrationStatus,
  planMigrations,
  proveDialects,
  type AddedSchema,
  type PlannedMigrations,
  type Provider,
  type SchemaSource,
} from '@outgrow/schema'
import { runScript } from './adopt-into-database.ts'
import { planFragment, type PlannedFragment } from './plan-fragment.ts'
import { planOwnMigration, type SchemaSteps } from './plan-own-migration.ts'
import { withWritten } from './written-files.ts'

export interface PlannedProject {
  /** The inbox's table. */
  inbox: string
  names: PlannedFragment['names']
  /** Whether the schema has all of billing's models, or gets them. */
  isWhole: boolean
  /** Undefined where the schema has it all. */
  written: (PlannedMigrations & { added: AddedSchema }) | undefined
  /** Whether the project has migrations already; else the new ones are its first, and the database has no history. */
  hasHistory: boolean
  prepare: () => Promise<void>
}

interface Project {
  databaseUrl: string
  source: SchemaSource
  account: string | undefined
  prefix: string
}

/**
 * Plans billing's models in a project's schema, with a migration for each provider, and how its database gets them. The
 * schema is validated and the migrations have run on empty databases before anything is written.
 * @throws Failure OUTGROW_ADOPT_DATABASE, OUTGROW_MIGRATION_NO_HISTORY and what `planFragment` and `planMigrations` throw
 */
export async function planInProject(
  connection: AdoptConnection,
  { databaseUrl, source, account, prefix }: Project,
  scratch: ScratchOptions,
): Promise<PlannedProject> {
  const there = await findInbox(connection, prefix)
  const taken = await takenNames(connection)
  if (there !== undefined) for (const name of await namesOfInbox(connection, there)) taken.delete(name)
  const within = connection.schema
  const { added, names, isWhole } = planFragment({ source, account, prefix, taken, within })
  const inbox = names.WebhookEvent.table
  const { migrations } = historyOf(source, connection.provider)
  const hasHistory = migrations.length > 0
  const shown = { inbox, names, isWhole, hasHistory }
  if (added === undefined) return { ...shown, written: undefined, prepare: () => Promise.resolve() }
  if (hasHistory) await refuseUnlessDeployed(source, connection, databaseUrl)
  // An inbox that was made without the schema is there already.
  const only = { source, account: undefined, prefix, taken, within }
  const before = there === inbox ? (planFragment(only).added?.source ?? source) : source
  const planned = {
    ...(await migrationsFor(connection.provider, { source, before, after: added.source }, scratch)),
    added,
  }
  const { name, migrations: authored } = planned.authored
  const { sql = '' } = authored.find(({ provider }) => provider === connection.provider) ?? {}
  const record = hasHistory ? appliedSql(connection.provider, { name, sql }) : ''
  const intoDatabase = () => runDdl(connection, `${planned.ddl};\n${record}`)
  return { ...shown, written: planned, prepare: () => withWritten(planned, intoDatabase) }
}

/** An inbox that was made without the schema: its table and, on Postgres, the type of its status. */
async function namesOfInbox(connection: AdoptConnection, table: string): Promise<string[]> {
  if (connection.provider === 'sqlite') return [table]
  const types = await connection.query(
    `SELECT t.typname AS name FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = to_regclass(?) AND a.attname = 'status' AND t.typtype = 'e'`,
    [inboxSql(connection, table)],
  )
  return [table, ...types.map(({ name }) => String(name))]
}

/** @throws Failure OUTGROW_ADOPT_DATABASE, OUTGROW_MIGRATION_NO_HISTORY */
async function refuseUnlessDeployed(
  source: SchemaSource,
  { provider }: AdoptConnection,
  databaseUrl: string,
): Promise<void> {
  const { pending, failed, unrecorded } = await migrationStatus(source, provider, databaseUrl, undefined)
  if (unrecorded) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_NO_HISTORY',
      message: 'This database has tables but no migration history.',
      why: 'Its next migration adds the inbox.',
      fix: 'Run outgrow schema baseline --to <url>, which records the migrations already applied, then this command again.',
    })
  }
  if (pending.length + failed.length === 0) return
  throw new Failure({
    code: 'OUTGROW_ADOPT_DATABASE',
    message: `Migrations of the project are not applied to this database: ${[...failed.map(({ name }) => name), ...pending].join(', ')}.`,
    why: 'They would be applied together with the one that adds the inbox.',
    fix: 'Run outgrow schema deploy --to <url> first, then this command again.',
  })
}

/** Migrations for both databases, or for the one that the schema can only be of; with SQL for this one. */
async function migrationsFor(
  provider: Provider,
  steps: SchemaSteps,
  scratch: ScratchOptions,
): Promise<PlannedMigrations & { ddl: string }> {
  try {
    const planned = await planMigrations(steps.after, 'billing', scratch, steps.source)
    const { dialects } = await proveDialects(steps.before)
    const ddl = await diffDatamodels(provider, dialects[provider], planned.generated.dialects[provider])
    return { ...planned, ddl }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'OUTGROW_SCHEMA_REFUSED') throw error
    if (indexSchema(steps.source).source !== provider) throw error
    return planOwnMigration(provider, steps, scratch)
  }
}

/**
 * Runs the new tables in a transaction of its own, which neither wants a file for itself nor waits for long: behind whoever
 * waits for a lock on an application's table, the application waits too.
 */
async function runDdl(connection: AdoptConnection, ddl: string): Promise<void> {
  const patience = connection.provider === 'postgres' ? "SET LOCAL lock_timeout = '5s';\n" : ''
  try {
    await runScript(connection, `${patience}${ddl}`)
  } catch (cause) {
    if (['55P03', 'SQLITE_BUSY'].includes(String((cause as { code?: unknown }).code))) throw cause
    throw new Failure({
      code: 'OUTGROW_ADOPT_DATABASE',
      message: `The database rejects the new tables: ${messageOf(cause)}`,
      why: 'Its tables are not those of the schema. Nothing was changed.',
      fix: 'Compare them: outgrow schema pull shows what the database has.',
      cause,
    })
  }
}
