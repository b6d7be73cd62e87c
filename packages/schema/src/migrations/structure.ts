import {
  describeSchemas,
  describeSqlite,
  grantKinds,
  missingItems,
  openSqliteReadonly,
  parseDatabaseUrl,
  withPostgres,
  withScratchDatabase,
  type DescribedItem,
  type ScratchOptions,
} from '@outgrow/databases'
import { runMigrations } from './run.ts'
import type { StoredMigration } from './history.ts'
import type { Provider } from '../engine/schema-engine.ts'

/** What a database has and a history does not lead to, and the other way round. */
export interface StructureDifference {
  /** Promised by the migrations, and not there, or there in another form. */
  missing: DescribedItem[]
  /** There, and in no migration. */
  extra: DescribedItem[]
}

export const isSame = ({ missing, extra }: StructureDifference): boolean =>
  missing.length + extra.length === 0

/** The structure of a live database. Rights are left out: no migration history says all of them. */
export async function structureOf(databaseUrl: string): Promise<DescribedItem[]> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') {
    const database = openSqliteReadonly(url.path)
    try {
      return describeSqlite(database)
    } finally {
      database.close()
    }
  }
  const items = await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^(pg_|_outgrow)' AND nspname <> 'information_schema'",
    )
    const names = rows.map(({ name }) => [name, name === url.schema ? 'public' : name])
    return describeSchemas(client, Object.fromEntries(names) as Record<string, string>)
  })
  // Since version 18 NOT NULL is a constraint of its own; the column says it everywhere.
  return items.filter(
    ({ kind, definition }) =>
      !grantKinds.has(kind) && !(kind === 'constraint' && definition.startsWith('NOT NULL')),
  )
}

/**
 * The structures that a history leads to, after each of its migrations, on an empty database.
 * @throws Failure OUTGROW_MIGRATION_FAILED
 */
export function structuresAfter(
  provider: Provider,
  migrations: StoredMigration[],
  scratch: ScratchOptions,
): Promise<DescribedItem[][]> {
  return withScratchDatabase(provider, scratch, async (url) => {
    const structures: DescribedItem[][] = []
    for (const migration of migrations) {
      await runMigrations(url, [migration])
      structures.push(await structureOf(url))
    }
    return structures
  })
}

export function difference(promised: DescribedItem[], found: DescribedItem[]): StructureDifference {
  const extra = missingItems(found, promised)
  const missing = missingItems(promised, found)
  const there = new Set(found.map(({ kind, name }) => `${kind} ${name}`))
  return {
    missing,
    // What has another form is one difference, not two.
    extra: extra.filter(
      ({ kind, name }) =>
        !missing.some((one) => one.kind === kind && one.name === name && there.has(`${kind} ${name}`)),
    ),
  }
}

/** One line a difference. */
export function differenceLines({ missing, extra }: StructureDifference): string[] {
  return [
    ...missing.map(({ kind, name, definition }) =>
      `missing, or of another form: ${kind} ${name} ${definition}`.trim(),
    ),
    ...extra.map(({ kind, name, definition }) => `in no migration: ${kind} ${name} ${definition}`.trim()),
  ]
}
