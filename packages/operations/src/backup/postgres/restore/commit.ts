import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'

/** How often a server is asked that has not noticed yet that nobody waits for its answer. */
const askEveryMs = 100

/**
 * Ends a transaction. A connection that is lost meanwhile leaves open whether it was committed: another one asks.
 * @param reconnect gives a connection that outlives whoever stops the work
 * @throws Failure OUTGROW_POSTGRES_LOST when nobody can tell
 */
export async function commit(
  client: Pick<PostgresClient, 'query'>,
  reconnect: () => Promise<PostgresClient>,
): Promise<void> {
  const { rows } = await client.query<{ id: string }>('SELECT txid_current() AS id')
  try {
    await client.query('COMMIT')
  } catch (error) {
    if (!(await wasCommitted(rows[0]?.id ?? '', reconnect))) throw error
  }
}

async function wasCommitted(id: string, reconnect: () => Promise<PostgresClient>): Promise<boolean> {
  try {
    const client = await reconnect()
    try {
      for (;;) {
        const { rows } = await client.query<{ status: string }>('SELECT txid_status($1) AS status', [id])
        if (rows[0]?.status !== 'in progress') return rows[0]?.status === 'committed'
        await sleep(askEveryMs)
      }
    } finally {
      await client.end().catch(() => {})
    }
  } catch (error) {
    throw new Failure({
      code: 'OUTGROW_POSTGRES_LOST',
      message: `The connection was lost as the restore was committed, and the server could not be asked whether it was: ${messageOf(error)}`,
      why: 'It was one transaction: the target holds all of the backup, or is as it was.',
      fix: 'Look whether the target has tables; if it has none, run the same command again.',
      cause: error,
    })
  }
}
