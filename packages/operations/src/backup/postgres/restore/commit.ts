import type { PostgresClient } from '@outgrow/databases'

/**
 * Ends a transaction. A connection that is lost meanwhile leaves open whether it was committed: another one asks.
 * @param reconnect gives a connection that outlives whoever stops the work
 */
export async function commit(
  client: PostgresClient,
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
  const client = await reconnect()
  try {
    for (;;) {
      const { rows } = await client.query<{ status: string }>('SELECT txid_status($1) AS status', [id])
      // The server may not have noticed yet that nobody waits for its answer.
      if (rows[0]?.status !== 'in progress') return rows[0]?.status === 'committed'
    }
  } finally {
    await client.end().catch(() => {})
  }
}
