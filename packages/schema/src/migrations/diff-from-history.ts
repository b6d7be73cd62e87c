import {
  openSqlite,
  parseDatabaseUrl,
  quoteIdentifier,
  readSourceTables,
  withScratchDatabase,
  type ScratchOptions,
} from '@outgrow/databases'
import { diffFromDatabase, type Provider } from '../engine/schema-engine.ts'
import { withEngine } from './deploy.ts'
import type { StoredMigration } from './history.ts'
import { withoutIdleRebuilds } from './idle-rebuilds.ts'
import { runMigrations } from './run.ts'

/** The SQL that leads from where migrations lead to a datamodel. */
export function diffFromHistory(
  provider: Provider,
  migrations: StoredMigration[],
  to: string,
  scratch: ScratchOptions,
): Promise<string> {
  return withScratchDatabase(provider, scratch, async (url) => {
    await runMigrations(url, migrations)
    if (provider === 'sqlite') dropUnsupported(url)
    const sql = await withEngine(url, migrations, (engine) => diffFromDatabase(engine, provider, to))
    return provider === 'sqlite' ? withoutIdleRebuilds(url, sql) : sql
  })
}

/**
 * Prisma cannot say partial and expression indexes, virtual tables, triggers and views, and its engine or a rebuild stumbles over
 * them: they stay as they are.
 */
function dropUnsupported(url: string): void {
  const { path } = parseDatabaseUrl(url) as { path: string }
  const database = openSqlite(path)
  try {
    const names = database
      .prepare(
        `SELECT i.name FROM sqlite_schema s, pragma_index_list(s.name) i WHERE s.type = 'table' AND i.origin = 'c'
           AND (i.partial OR EXISTS (SELECT 1 FROM pragma_index_info(i.name) WHERE name IS NULL))`,
      )
      .pluck()
      .all() as string[]
    for (const name of names) database.exec(`DROP INDEX ${quoteIdentifier(name)}`)
    const dependents = database
      .prepare(
        "SELECT upper(type) AS kind, name FROM sqlite_schema WHERE type IN ('trigger', 'view') ORDER BY type",
      )
      .all() as { kind: string; name: string }[]
    for (const { kind, name } of dependents) database.exec(`DROP ${kind} ${quoteIdentifier(name)}`)
    const virtual = readSourceTables(database).filter((table) => table.virtual !== undefined)
    for (const { name } of virtual) database.exec(`DROP TABLE ${quoteIdentifier(name)}`)
  } finally {
    database.close()
  }
}
