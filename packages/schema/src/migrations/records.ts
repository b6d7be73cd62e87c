import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  openSqliteForLock,
  openSqliteReadonly,
  parseDatabaseUrl,
  quoteIdentifier,
  traceRemover,
  withPostgres,
  type SqliteDatabase,
} from '@outgrow/databases'
import type { Provider } from '../engine/schema-engine.ts'
import type { StoredMigration } from './history.ts'

/** One row of `_prisma_migrations`. */
export interface MigrationRecord {
  name: string
  checksum: string
  finished: boolean
  rolledBack: boolean
  logs: string | null
}

/** What a database says of its migrations; no records where it has no `_prisma_migrations`. */
export interface Recorded {
  records: MigrationRecord[] | undefined
  /** Whether the database has tables of its own. */
  hasTables: boolean
}

/** Reads what a database has recorded, oldest first. Nothing is written; a file that does not exist has nothing. */
export async function readRecords(databaseUrl: string): Promise<Recorded> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') {
    if (!existsSync(url.path)) return { records: undefined, hasTables: false }
    using _ = traceRemover(url.path)
    const database = openSqliteReadonly(url.path)
    try {
      const tables = database
        .prepare(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )
        .pluck()
        .all() as string[]
      const records = tables.includes(table)
        ? (database.prepare(`${fields} FROM ${table} ORDER BY started_at, migration_name`).all() as Row[])
        : undefined
      return { records: records?.map(recordOf), hasTables: tables.some((name) => name !== table) }
    } finally {
      database.close()
    }
  }
  return withPostgres(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')`,
      [url.schema],
    )
    const names = tables.map(({ name }) => name)
    const records = names.includes(table)
      ? await client.query<Row>(
          `${fields} FROM ${quoteIdentifier(url.schema)}.${table} ORDER BY started_at, migration_name`,
        )
      : undefined
    return { records: records?.rows.map(recordOf), hasTables: names.some((name) => name !== table) }
  })
}

const table = '_prisma_migrations'
const fields =
  'SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS rolled, logs'

interface Row {
  name: string
  checksum: string
  finished: boolean | number
  rolled: boolean | number
  logs: string | null
}

function recordOf({ name, checksum, finished, rolled, logs }: Row): MigrationRecord {
  return { name, checksum, finished: Boolean(finished), rolledBack: Boolean(rolled), logs }
}

/** Where a database stands against a folder of migrations. */
export interface MigrationState {
  applied: string[]
  pending: string[]
  /** Begun, neither finished nor taken back: nothing is applied until that is resolved. */
  failed: { name: string; logs: string | null }[]
  /** Applied with another text than the folder has. */
  edited: string[]
  /** Applied, and not in the folder. */
  unknown: string[]
}

export function migrationStateOf(migrations: StoredMigration[], records: MigrationRecord[]): MigrationState {
  const live = records.filter(({ rolledBack }) => !rolledBack)
  const done = live.filter(({ finished }) => finished)
  const find = (name: string) => migrations.find((migration) => migration.name === name)
  return {
    applied: done.map(({ name }) => name),
    pending: migrations
      .map(({ name }) => name)
      .filter((name) => !live.some((record) => record.name === name)),
    failed: live.filter(({ finished }) => !finished).map(({ name, logs }) => ({ name, logs })),
    edited: done
      .filter(({ name, checksum }) => {
        const migration = find(name)
        return migration !== undefined && !checksumsOf(migration.sql).includes(checksum)
      })
      .map(({ name }) => name),
    unknown: done.map(({ name }) => name).filter((name) => !find(name)),
  }
}

/** As Prisma compares them: line ends may have been changed by version control. */
function checksumsOf(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n')
  return [sql, unix, unix.replaceAll('\n', '\r\n')].map((text) =>
    createHash('sha256').update(text).digest('hex'),
  )
}

const isOpen = 'finished_at IS NULL AND rolled_back_at IS NULL'

/**
 * Says of a migration that it is finished, within its own transaction: a run that is ended before Prisma's engine says so
 * leaves a record that is true.
 */
export function finishSql(databaseUrl: string, name: string): string {
  const url = parseDatabaseUrl(databaseUrl)
  const [home, now] =
    url.kind === 'sqlite'
      ? [table, "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"]
      : [`${quoteIdentifier(url.schema)}.${table}`, 'now()']
  return `UPDATE ${home} SET finished_at = ${now} WHERE migration_name = '${name.replaceAll("'", "''")}' AND ${isOpen}`
}

/** Writes what ended a migration, as Prisma words it (P3018). */
export async function writeLogs(
  databaseUrl: string,
  name: string,
  code: string,
  said: string,
): Promise<void> {
  const logs = `A migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n\nMigration name: ${name}\n\nDatabase error code: ${code}\n\nDatabase error:\n${said}\n`
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') {
    const database = openSqliteForLock(url.path)
    try {
      database.prepare(`UPDATE ${table} SET logs = ? WHERE migration_name = ? AND ${isOpen}`).run(logs, name)
    } finally {
      database.close()
    }
    return
  }
  await withPostgres(url, (client) =>
    client.query(
      `UPDATE ${quoteIdentifier(url.schema)}.${table} SET logs = $1 WHERE migration_name = $2 AND ${isOpen}`,
      [logs, name],
    ),
  )
}

/** The table as Prisma makes it. On Postgres its engine does so when the first migration is marked, on SQLite it does not. */
export function ensureRecords(databaseUrl: string): void {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind !== 'sqlite') return
  openSqliteReadonly(url.path).close() // a file that is not there is named, not made
  const database = openSqliteForLock(url.path)
  try {
    const known = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table)
    if (!known) database.exec(sqliteTable)
  } finally {
    database.close()
  }
}

/** Records migrations in a file without a history, as Prisma's engine does when it has applied them. */
export function recordApplied(database: SqliteDatabase, migrations: readonly StoredMigration[]): void {
  database.exec(sqliteTable)
  for (const migration of migrations) database.exec(appliedSql('sqlite', migration))
}

/**
 * SQL that records a migration as applied, in a database that has a history: for whoever runs it in a transaction of their
 * own, which on SQLite does not want the file for itself, as the engine does.
 */
export function appliedSql(provider: Provider, { name, sql }: StoredMigration): string {
  const now = provider === 'sqlite' ? "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')" : 'now()'
  const checksum = createHash('sha256').update(sql).digest('hex')
  return `INSERT INTO ${table} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
    VALUES ('${randomUUID()}', '${checksum}', '${name.replaceAll("'", "''")}', ${now}, ${now}, 1)`
}

const sqliteTable = `CREATE TABLE "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`
