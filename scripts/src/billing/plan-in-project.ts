import { findInbox, takenNames, type AdoptConnection } from '@outgrow/billing/adopt'
import type { ScratchOptions } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import {
  appliedSql,
  deployMigrations,
  diffDatamodels,
  historyOf,
  migrationStatus,
  planMigrations,
  proveDialects,
  resolveMigration,
  type AddedSchema,
  type PlannedMigrations,
  type SchemaSource,
} from '@outgrow/schema'
import { runScript } from './adopt-into-database.ts'
import { planFragment, type PlannedFragment } from './plan-fragment.ts'
import { withWritten } from './written-files.ts'

export interface PlannedProject {
  /** The inbox's table. */
  inbox: string
  names: PlannedFragment['names']
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
  const { added, names } = planFragment({ source, account, prefix, taken })
  const inbox = names.WebhookEvent.table
  const { migrations } = historyOf(source, connection.provider)
  const hasHistory = migrations.length > 0
  if (added === undefined)
    return { inbox, names, written: undefined, hasHistory, prepare: () => Promise.resolve() }
  if (hasHistory) await refuseUnlessDeployed(source, connection, databaseUrl)
  const planned = { ...(await planMigrations(added.source, 'billing', scratch, source)), added }
  const isThere = there === inbox
  const ddl = hasHistory || isThere ? '' : await difference(connection, source, planned)
  const intoDatabase = async () => {
    if (!hasHistory) return isThere ? undefined : runDdl(connection, ddl)
    const { name, migrations: authored } = planned.authored
    if (connection.provider === 'sqlite') {
      // In a transaction of its own: the engine would want the file for itself, and the application has it open.
      const { sql = '' } = authored.find(({ provider }) => provider === 'sqlite') ?? {}
      return runDdl(connection, `${isThere ? '' : sql};\n${appliedSql({ name, sql })}`)
    }
    if (isThere) return resolveMigration(source, databaseUrl, name, 'applied')
    await deployMigrations(source, databaseUrl)
  }
  return { inbox, names, written: planned, hasHistory, prepare: () => withWritten(planned, intoDatabase) }
}

/** An inbox that was made without the schema: its table and, on Postgres, the type of its status. */
async function namesOfInbox({ provider, query }: AdoptConnection, table: string): Promise<string[]> {
  if (provider === 'sqlite') return [table]
  const types = await query(
    `SELECT t.typname AS name FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = to_regclass(?) AND a.attname = 'status' AND t.typtype = 'e'`,
    [table],
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

/** What the schema gains, as SQL for a database without a history of migrations. */
async function difference(
  { provider }: AdoptConnection,
  source: SchemaSource,
  { generated }: PlannedMigrations,
): Promise<string> {
  const before = await proveDialects(source)
  return diffDatamodels(provider, before.dialects[provider], generated.dialects[provider])
}

async function runDdl(connection: AdoptConnection, ddl: string): Promise<void> {
  try {
    await runScript(connection, ddl)
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_ADOPT_DATABASE',
      message: `The database rejects the new tables: ${messageOf(cause)}`,
      why: 'Its tables are not those of the schema. Nothing was changed.',
      fix: 'Compare them: outgrow schema pull shows what the database has.',
      cause,
    })
  }
}
