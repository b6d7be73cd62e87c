import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@outgrow/kit'
import { quoteIdentifier, type ScratchOptions } from '@outgrow/databases'
import { diffDatamodels, type Provider } from '../engine/schema-engine.ts'
import type { Generated } from '../generate.ts'
import { carryViews } from './carry-views.ts'
import { dataLossWarnings } from './data-loss.ts'
import { diffFromHistory } from './diff-from-history.ts'
import { historyOf, type History } from './history.ts'
import { listsInPlace } from './lists-in-place.ts'
import { keepObjectsOfRebuiltTables, rebuiltTables } from './rebuilt-tables.ts'

/** The schema after the newest migration, kept beside the migrations: what the next one starts from. */
const lastSchemaFile = 'schema.prisma'

interface AuthoredMigration {
  provider: Provider
  /** Absolute path of migration.sql. */
  path: string
  sql: string
  /** Whether the folder is the project's own: its migrations themselves say where the next one starts. */
  isAdopted: boolean
}

export interface Authored {
  name: string
  migrations: AuthoredMigration[]
  /** What rows could be lost or stand in the way, in words. */
  warnings: string[]
}

/**
 * Plans one migration a provider, side by side, from the last schema to this one. Writes nothing.
 * A history that the project brings along is run on an empty database, from which its migration then leads to this schema.
 * @param since the schema as it was: the migration is the difference to it alone, whatever else is not migrated yet
 * @throws Failure OUTGROW_MIGRATION_NAME, OUTGROW_MIGRATION_EMPTY, OUTGROW_MIGRATION_FAILED, OUTGROW_MIGRATION_PENDING
 */
export async function authorMigrations(
  generated: Generated,
  label: string,
  scratch: ScratchOptions = {},
  since?: Generated,
): Promise<Authored> {
  if (!/^[A-Za-z0-9][\w-]{0,99}$/.test(label)) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_NAME',
      message: `"${label}" is not a valid migration name.`,
      fix: 'Use letters, digits, _ and -, for example add_votes.',
    })
  }
  const time = new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  const name = `${time}_${label}`
  const migrations: AuthoredMigration[] = []
  const warnings = new Set<string>()
  for (const { provider, text } of generated.outputs) {
    const history = historyOf(generated.source, provider)
    const last = lastSchema(history.folder)
    const isAdopted = last === undefined && history.migrations.length > 0
    const before = history.migrations.length > 0 ? since?.dialects[provider] : undefined
    if (before !== undefined && last !== undefined) await refusePending(history, before)
    const planned =
      before !== undefined
        ? await diffDatamodels(provider, before, text)
        : isAdopted
          ? await diffFromHistory(provider, history.migrations, text, scratch)
          : await diffDatamodels(provider, last, text)
    const { sql, changed } = await withNothingLost(provider, history, planned, generated, scratch)
    for (const warning of changed) warnings.add(warning)
    const views = await carryViews(history, sql, generated.elsewhere, scratch)
    for (const warning of views.warnings) warnings.add(warning)
    if (last !== undefined) for (const warning of dataLossWarnings(last, text)) warnings.add(warning)
    if (isAdopted) for (const warning of droppedIn(sql)) warnings.add(warning)
    const path = join(history.folder, name, 'migration.sql')
    migrations.push({ provider, path, sql: sql + views.sql, isAdopted })
  }
  const written = migrations.filter(({ sql }) => withoutComments(sql) !== '')
  if (written.length === 0) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_EMPTY',
      message: 'The schema has not changed since the last migration.',
      fix: 'Change the schema first.',
    })
  }
  // An adopted history goes on by itself; the other side begins, or both go on together.
  return {
    name,
    migrations: migrations.filter((one) => !one.isAdopted || written.includes(one)),
    warnings: [...warnings],
  }
}

/** Whether a schema says more than its history leads to. Of an adopted history only a database could tell: false. */
export async function isPending({ provider, folder, migrations }: History, now: string): Promise<boolean> {
  const last = migrations.length > 0 ? lastSchema(folder) : undefined
  if (last === undefined || last === now) return false
  return withoutComments(await diffDatamodels(provider, last, now)) !== ''
}

/** The schema beside an own history is what it leads to: what is not migrated yet would be taken for migrated. */
async function refusePending(history: History, now: string): Promise<void> {
  if (!(await isPending(history, now))) return
  throw new Failure({
    code: 'OUTGROW_MIGRATION_PENDING',
    message: 'The schema has changed since its last migration.',
    fix: 'Run outgrow schema migrate <name> first.',
  })
}

/** A planned migration that keeps what Prisma's plan would drop unsaid, with what is to be known about it. */
async function withNothingLost(
  provider: Provider,
  { migrations }: History,
  planned: string,
  generated: Generated,
  scratch: ScratchOptions,
): Promise<{ sql: string; changed: string[] }> {
  if (provider === 'sqlite') {
    const { sql, warnings } = await keepObjectsOfRebuiltTables(migrations, planned, scratch)
    return { sql, changed: warnings }
  }
  const { sql, columns } = listsInPlace(planned, generated)
  return {
    sql,
    changed: columns.map((column) => `Column ${column} changes from a list to Json, with its values.`),
  }
}

/** Writes planned migrations in Prisma Migrate's layout, and the schemas that they lead to. */
export function writeMigrations(generated: Generated, { migrations }: Authored): void {
  for (const { provider, path, sql, isAdopted } of migrations) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, sql)
    if (isAdopted) continue // the project's own folder: Prisma reads what else lies in it
    const text = generated.outputs.find((output) => output.provider === provider)?.text ?? ''
    writeMigrationState(join(path, '..', '..'), provider, text)
  }
}

/** The lock file that Prisma Migrate wants, and the schema that the next migration starts from. */
export function writeMigrationState(folder: string, provider: Provider, schema: string): void {
  const prismaName = provider === 'postgres' ? 'postgresql' : 'sqlite'
  writeFileSync(
    join(folder, 'migration_lock.toml'),
    `# Please do not edit this file manually\n# It should be added in your version-control system (e.g., Git)\nprovider = "${prismaName}"\n`,
  )
  writeFileSync(join(folder, lastSchemaFile), schema)
}

function lastSchema(folder: string): string | undefined {
  const file = join(folder, lastSchemaFile)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** What a migration that was compared with a database drops. */
function droppedIn(sql: string): string[] {
  const rebuilt = new Set(rebuiltTables(sql).map(quoteIdentifier))
  const drops = sql.matchAll(
    /^\s*(?:ALTER TABLE (\S+) )?DROP (TABLE|COLUMN|INDEX|TYPE) ((?:"[^"]+"\.)?"[^"]+")/gm,
  )
  return [...drops].flatMap(([, table, kind, name = '']) => {
    if (kind === 'TABLE') return rebuilt.has(name) ? [] : [`Table ${name} is dropped with all its rows.`]
    if (kind === 'INDEX')
      return [`Index ${name} is dropped: a migration created it, but it is not in the schema.`]
    if (kind === 'TYPE')
      return [`Type ${name} is dropped: a migration created it, but it is not in the schema.`]
    return [`Column ${table === undefined ? '' : `${table}.`}${name} is dropped with all its values.`]
  })
}

function withoutComments(sql: string): string {
  return sql.replaceAll(/^\s*--.*$/gm, '').trim()
}
