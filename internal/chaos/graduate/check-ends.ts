import {
  openSqliteReadonly,
  withPostgres,
  type PostgresClient,
  type SqliteDatabase,
} from '@outgrow/databases'
import type { AttemptEnded } from './attempts.ts'
import type { Rows } from './rows.ts'

/** What a command may end with, whatever happens to it: that it was not possible now, and nothing worse. */
export function checkCommands({ attempt, commands }: AttemptEnded): string[] {
  return commands.flatMap((command) => {
    const { args, code, signal, report, output } = command
    const name = `${args
      .slice(0, 2)
      .filter((word) => !word.startsWith('-'))
      .join(' ')} (${attempt.is})`
    if (signal !== null) return signal === 'SIGKILL' ? [] : [`${name} was ended by ${signal}: ${output}`]
    const found =
      report?.findings.map(({ code: one, table, reason }) => `${one} ${table ?? ''} ${reason}`) ?? []
    if (report?.error?.code === 'OUTGROW_VERIFY_MISMATCH' || found.length > 0)
      return [`${name} found differences: ${report?.error?.message ?? ''} ${found.join('; ')}`]
    if (code === 0 || code === 2 || code === 3) return []
    return [`${name} ended with ${code}: ${report?.error?.message ?? output}`]
  })
}

/** After a cancel the file's schema is what it was, row for row, and the target is empty. */
export async function checkCancelled(file: string, url: string, before: string): Promise<string[]> {
  const wrong: string[] = []
  const database = openSqliteReadonly(file)
  const after = JSON.stringify(
    database
      .prepare("SELECT rowid, type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'event_writer'")
      .all(),
  )
  database.close()
  if (after !== before) wrong.push(`after a cancel the schema of the file is ${after}`)
  const left = await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`,
    )
    return rows.map(({ name }) => name)
  })
  if (left.length > 0) wrong.push(`after a cancel the target has ${left.join(', ')}`)
  return wrong
}

/** What was put aside is whole. */
export function checkSchemaAfter(database: SqliteDatabase): string[] {
  const integrity = database.pragma('integrity_check', { simple: true })
  const foreign = database.pragma('foreign_key_check') as unknown[]
  return [
    ...(integrity === 'ok' ? [] : [`integrity_check of the file: ${String(integrity)}`]),
    ...(foreign.length === 0 ? [] : [`foreign_key_check of the file: ${foreign.length} rows`]),
  ]
}

/** Counters go on above what SQLite has left, and constraints hold. */
export async function checkTargetAfter(client: PostgresClient, left: Rows): Promise<string[]> {
  const wrong: string[] = []
  const { rows: loose } = await client.query<{ name: string }>(
    'SELECT conname AS name FROM pg_constraint WHERE NOT convalidated',
  )
  if (loose.length > 0)
    wrong.push(`constraints that are not validated: ${loose.map(({ name }) => name).join(', ')}`)
  const { rows: foreign } = await client.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
  )
  if (foreign[0]?.count !== 4) wrong.push(`${foreign[0]?.count} foreign keys are in place, not 4`)
  const { rows: own } = await client.query<{ name: string }>(
    "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE '%outgrow%'",
  )
  if (own.length > 0) wrong.push(`among the application’s are ${own.map(({ name }) => name).join(', ')}`)
  await client.query('BEGIN')
  for (const [table, columns, values] of [
    ['event', 'writer, seq', '0, 0'],
    ['item', 'owner, code, rank', "99, 'after', 0"],
  ] as const) {
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO ${table} (${columns}) VALUES (${values}) RETURNING id`,
    )
    const highest = Math.max(0, ...(left.get(table) ?? []).map(({ id }) => Number(id)))
    if (Number(rows[0]?.id) <= highest) wrong.push(`${table} goes on with ${rows[0]?.id}, and had ${highest}`)
  }
  await client.query('ROLLBACK')
  return wrong
}
