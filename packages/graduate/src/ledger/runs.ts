import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { Staging } from '../model/staging.ts'

export interface FoundRun {
  status: string
  staging: Staging
}

/** Runs of this product in the database, newest first. */
export async function findRuns(client: PostgresClient): Promise<FoundRun[]> {
  const { rows } = await client.query<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = '_outgrow_run' AND n.nspname LIKE '\\_outgrow\\_%' AND has_schema_privilege(n.oid, 'USAGE')
      ORDER BY n.nspname DESC`,
  )
  const runs: FoundRun[] = []
  for (const { schema } of rows) {
    const found = await client.query<FoundRun>(
      `SELECT status, staging FROM ${quoteIdentifier(schema)}._outgrow_run`,
    )
    runs.push(...found.rows)
  }
  return runs
}

/** The run that was begun and not published, if there is one. */
export function unfinishedIn(runs: FoundRun[]): Staging | undefined {
  return runs.find(({ status }) => status !== 'published')?.staging
}

export async function unfinishedRun(client: PostgresClient): Promise<Staging | undefined> {
  return unfinishedIn(await findRuns(client))
}

/** Takes a run back: the target is as it was before it. */
export async function dropRun(client: PostgresClient, staging: Staging): Promise<void> {
  const schemas = Object.values(staging.schemas).map(quoteIdentifier)
  await client.query(`DROP SCHEMA IF EXISTS ${schemas.join(', ')} CASCADE`)
  for (const created of staging.created) await client.query(`DROP ${created.replace(' ', ' IF EXISTS ')}`)
}
