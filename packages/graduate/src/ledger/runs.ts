import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
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

/** The run that was begun and not published, if there is one. What follows a live file is no such run. */
export function unfinishedIn(runs: FoundRun[]): Staging | undefined {
  return runs.find(({ status }) => status === 'building')?.staging
}

/** @throws Failure OUTGROW_GRADUATION_ACTIVE where the target follows a live file */
export function refuseGraduating(runs: FoundRun[]): void {
  const live = runs.find(({ status }) => status === 'live')?.staging
  if (live === undefined) return
  throw new Failure({
    code: 'OUTGROW_GRADUATION_ACTIVE',
    message: `The target belongs to the live graduation ${live.run} of ${live.record.source}.`,
    why: 'A move would replace rows that follow the application.',
    fix: 'Finish it with outgrow graduate complete, or take it back with outgrow graduate cancel.',
  })
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
