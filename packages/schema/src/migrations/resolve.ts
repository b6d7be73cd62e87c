import { parseDatabaseUrl, refusePooled, type DescribedItem, type ScratchOptions } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '../source.ts'
import { existingHistory, migrationList, whileLocked, withEngine } from './deploy.ts'
import type { History } from './history.ts'
import { ensureRecords, readRecords } from './records.ts'
import {
  difference,
  differenceLines,
  isSame,
  structureOf,
  structuresAfterEach,
  withinSchemas,
} from './structure.ts'

/**
 * Records by hand what became of a migration, as `prisma migrate resolve` does.
 * @throws Failure OUTGROW_MIGRATION_UNKNOWN, OUTGROW_MIGRATION_RUNNING
 */
export async function resolveMigration(
  source: SchemaSource,
  databaseUrl: string,
  name: string,
  as: 'applied' | 'rolled-back',
): Promise<void> {
  const history = existingHistory(source, parseDatabaseUrl(databaseUrl).kind)
  return whileLocked(databaseUrl, false, () => resolveIn(history, databaseUrl, name, as))
}

async function resolveIn(
  history: History,
  databaseUrl: string,
  name: string,
  as: 'applied' | 'rolled-back',
): Promise<void> {
  const { records } = await readRecords(databaseUrl)
  const begun = records?.find((record) => record.name === name && !record.rolledBack)
  if (as === 'rolled-back') {
    if (!begun || begun.finished) {
      throw unknown(
        name,
        begun
          ? 'has been applied: only a failed migration can be marked as rolled back'
          : 'never failed on this database',
      )
    }
    return withEngine(databaseUrl, history.migrations, async (engine) => {
      await engine.markMigrationRolledBack({ migrationName: name })
    })
  }
  if (!history.migrations.some((migration) => migration.name === name))
    throw unknown(name, `is not in ${history.folder}`)
  if (begun?.finished) throw unknown(name, 'has already been applied')
  await markApplied(history, databaseUrl, [name])
}

/**
 * Records the migrations that made a database's tables, after comparing them: all, or the first so many whose result is
 * what the database has.
 * @param through the last that has run, where later ones change nothing that can be compared
 * @throws Failure OUTGROW_MIGRATION_HAS_HISTORY, OUTGROW_BASELINE_DIFFERS, OUTGROW_BASELINE_UNDECIDED,
 *   OUTGROW_TARGET_POOLED
 */
export async function baselineDatabase(
  source: SchemaSource,
  databaseUrl: string,
  scratch: ScratchOptions,
  through?: string,
): Promise<{ applied: string[]; pending: string[] }> {
  const history = existingHistory(source, parseDatabaseUrl(databaseUrl).kind)
  await refusePooled(databaseUrl)
  const { records } = await readRecords(databaseUrl)
  if (records && records.length > 0) {
    throw new Failure({
      code: 'OUTGROW_MIGRATION_HAS_HISTORY',
      message: 'This database already has a migration history.',
      fix: 'Run outgrow schema status to see it.',
    })
  }
  const structures = await structuresAfterEach(databaseUrl, history.migrations, scratch)
  const all = await structureOf(databaseUrl)
  const last = structures.at(-1) ?? []
  const found = withinSchemas(all, last, databaseUrl)
  const matches = structures.map((promised) => isSame(difference(promised, found)))
  const names = history.migrations.map(({ name }) => name)
  const first = matches.indexOf(true)
  if (first < 0) throw differs(history, last, found)
  // The tables are the same after each of these: no other may be the last that has run.
  const possible = names.slice(first, matches.lastIndexOf(true) + 1)
  if (through === undefined ? possible.length > 1 : !possible.includes(through)) throw undecided(possible)
  const end = through === undefined ? first : names.indexOf(through)
  const applied = names.slice(0, end + 1)
  await markApplied(history, databaseUrl, applied)
  return { applied, pending: names.slice(end + 1) }
}

/** Migrations that change rows only, say: whether they have run cannot be seen in the tables. */
function undecided([last = '', ...unseen]: string[]): Failure {
  const message = `The tables match the migrations up to ${last}`
  if (unseen.length === 0) {
    return new Failure({
      code: 'OUTGROW_BASELINE_UNDECIDED',
      message: `${message}, and only up to that one.`,
      fix: `Omit --through, or pass --through ${last}.`,
    })
  }
  return new Failure({
    code: 'OUTGROW_BASELINE_UNDECIDED',
    message: `${message}; they do not show whether ${unseen.join(', ')} ran.`,
    why: 'Those migrations change only rows, or objects that are not compared: both recording and running them would be a guess.',
    fix: `Pass --through ${unseen.at(-1)} if they have run, or --through ${last} to let deploy run them.`,
  })
}

async function markApplied(
  { folder, migrations }: History,
  databaseUrl: string,
  names: string[],
): Promise<void> {
  ensureRecords(databaseUrl)
  await withEngine(databaseUrl, migrations, async (engine) => {
    for (const migrationName of names) {
      await engine.markMigrationApplied({ migrationName, migrationsList: migrationList(folder, migrations) })
    }
  })
}

const shown = 20

function differs(history: History, promised: DescribedItem[], found: DescribedItem[]): Failure {
  const lines = differenceLines(difference(promised, found))
  const more = lines.length > shown ? [`and ${lines.length - shown} more`] : []
  return new Failure({
    code: 'OUTGROW_BASELINE_DIFFERS',
    message: `The database does not match the migrations in ${history.folder}:\n  ${[...lines.slice(0, shown), ...more].join('\n  ')}`,
    why: 'With a history that does not match the tables, the next migration would fail.',
    fix: 'Make the database and the migrations match, or record individual migrations yourself with outgrow schema resolve --applied <name>.',
  })
}

function unknown(name: string, what: string): Failure {
  return new Failure({
    code: 'OUTGROW_MIGRATION_UNKNOWN',
    message: `${name} ${what}.`,
    fix: 'Run outgrow schema status to list the migrations in the folder and in the database.',
  })
}
