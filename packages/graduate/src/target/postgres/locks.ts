import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/** A wait for a lock blocks everybody behind it: it is short, and tried again. */
export const beginWithLockWait = 'BEGIN; SET LOCAL lock_timeout = 1000'
const tries = 4

/**
 * Runs `work` in a transaction that waits for each lock for a short time only, and begins it again when it did not get one.
 * @throws Failure OUTGROW_TARGET_LOCKED naming the sessions in the way
 */
export async function withLocks<Result>(
  client: PostgresClient,
  schemas: string[],
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    await client.query(beginWithLockWait)
    try {
      const result = await work()
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
      const { code } = error as { code?: string }
      if (code !== '55P03' && code !== '40P01') throw error
      if (attempt === tries) throw await lockedFailure(client, schemas, error)
      await sleep(100 * attempt)
    }
  }
}

const publishing = {
  why: 'Publishing replaces the empty tables with the filled ones, and waits only briefly for locks. The copied rows are kept.',
  fix: 'and run the same command again: a move goes on with --resume, a graduation by itself.',
}

/** Who else holds locks on tables of the schemas that are to be filled. */
export async function lockedFailure(
  client: PostgresClient,
  schemas: string[],
  cause: unknown,
  { why, fix } = publishing,
): Promise<Failure> {
  const { rows } = await client.query<{ holder: string; pid: number }>(
    `SELECT a.pid, concat_ws(', ', 'pid ' || a.pid, nullif(a.application_name, ''), a.usename, a.client_addr::text, a.state,
              'since ' || to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC') AS holder
       FROM pg_stat_activity a
      WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()
        AND EXISTS (SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE l.pid = a.pid AND l.granted AND n.nspname = ANY($1))
      ORDER BY a.xact_start LIMIT 5`,
    [schemas],
  )
  const holders = rows.map(({ holder }) => holder).join('; ')
  return new Failure({
    code: 'OUTGROW_TARGET_LOCKED',
    message: `Another session holds locks on tables of the target: ${holders || 'it has since ended'}.`,
    why,
    fix: `End that transaction${rows[0] ? ` (SELECT pg_terminate_backend(${rows[0].pid});)` : ''} ${fix}`,
    cause,
  })
}
