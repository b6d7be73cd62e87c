import {
  withPostgres,
  withScratchDatabase,
  type PostgresClient,
  type ScratchOptions,
} from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { Generated } from '../generate.ts'
import type { Authored } from './author.ts'
import { ensureExtensions } from './extensions.ts'
import { historyOf } from './history.ts'
import { runMigrations } from './run.ts'

/**
 * Makes the generated tables on an empty Postgres, after the functions and sequences that only migrations make.
 * @returns the server's version
 * @throws Failure OUTGROW_SCHEMA_DDL, OUTGROW_EXTENSION_MISSING
 */
export function proveOnPostgres({ ddl, elsewhere }: Generated, scratch: ScratchOptions): Promise<string> {
  const before = elsewhere.flatMap(({ kind, made }) => (kind !== 'view' && made ? [made.statement] : []))
  return withScratchDatabase('postgres', scratch, (url) =>
    withPostgres(url, async (client) => {
      await extensionsFor(client, [...before, ddl.postgres].join(';\n'))
      try {
        await client.query('SET check_function_bodies = off')
        for (const statement of before) await client.query(statement)
        await client.query(ddl.postgres)
      } catch (cause) {
        throw new Failure({
          code: 'OUTGROW_SCHEMA_DDL',
          message: `Postgres rejects the generated tables: ${messageOf(cause)}`,
          fix: 'Override the member that Postgres rejects with a comment: // outgrow:postgres …',
          cause,
        })
      }
      const { rows } = await client.query<{ version: string }>(
        "SELECT split_part(current_setting('server_version'), ' ', 1) AS version",
      )
      return rows[0]?.version ?? ''
    }),
  )
}

async function extensionsFor(client: PostgresClient, sql: string): Promise<void> {
  try {
    await ensureExtensions(client, [{ name: 'the schema', sql }], true)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const fix =
      'Pass --shadow with a server that has it: a temporary database is created there and dropped again.'
    throw new Failure({ code: error.code, message: error.message, why: error.why, fix, cause: error })
  }
}

/**
 * Runs new migrations behind those that were there, each side on an empty database of its own.
 * @returns on what they ran, in words
 * @throws Failure OUTGROW_MIGRATION_FAILED, OUTGROW_MIGRATION_NOT_ATOMIC
 */
export async function proveMigrations(
  generated: Generated,
  { name, migrations }: Authored,
  scratch: ScratchOptions,
): Promise<string> {
  const ran: string[] = []
  for (const { provider, sql } of migrations) {
    const { migrations: before } = historyOf(generated.source, provider)
    await withScratchDatabase(provider, scratch, (url) => runMigrations(url, [...before, { name, sql }]))
    ran.push(provider === 'sqlite' ? 'SQLite' : 'PostgreSQL')
  }
  return ran.join(' and an empty ')
}
