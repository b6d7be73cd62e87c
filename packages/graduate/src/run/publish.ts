import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { StoredMigration } from '@outgrow/schema'
import { putInPlace } from '../target/put-in-place.ts'
import { stagedName, type Staging } from '../target/staging.ts'
import { setCounters, type Counters } from './sequences.ts'
import { withLocks } from '../target/locks.ts'

/**
 * Moves everything that was built into its place, in one transaction: it is all there, or nothing is.
 * @throws Failure OUTGROW_TARGET_CHANGED, OUTGROW_STRUCTURE_MISMATCH, OUTGROW_TARGET_LOCKED
 */
export async function publish(
  client: PostgresClient,
  staging: Staging,
  baseline: StoredMigration[],
  counters: Counters,
  result: unknown,
): Promise<void> {
  await withLocks(client, Object.keys(staging.schemas), async () => {
    await putInPlace(client, staging, baseline)
    await setCounters(client, counters)
    await endRun(client, staging, result)
  })
}

/** The run's record stays, since `verify` reads it; what was only needed to build goes. */
async function endRun(
  client: PostgresClient,
  { run, home, schemas }: Staging,
  result: unknown,
): Promise<void> {
  const runSchema = stagedName(run, home, undefined)
  const at = quoteIdentifier(runSchema)
  const { rows } = await client.query(`SELECT 1 FROM ${at}._outgrow_quarantine LIMIT 1`)
  await client.query(
    rows.length > 0
      ? `ALTER TABLE ${at}._outgrow_quarantine SET SCHEMA ${quoteIdentifier(home)}`
      : `DROP TABLE ${at}._outgrow_quarantine`,
  )
  await client.query(`DROP TABLE ${at}._outgrow_chunk, ${at}._outgrow_cast`)
  for (const staged of Object.values(schemas)) {
    if (staged !== runSchema) await client.query(`DROP SCHEMA ${quoteIdentifier(staged)}`)
  }
  await client.query(
    `UPDATE ${at}._outgrow_run SET status = 'published', staging = jsonb_set(staging::jsonb, '{result}', $1::jsonb)::json`,
    [JSON.stringify(result)],
  )
}
