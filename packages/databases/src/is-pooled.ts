import type { PostgresClient } from './postgres.ts'
import type { PostgresUrl } from './url.ts'

/**
 * Whether a URL leads to a pooler that shares sessions between transactions.
 * @param clients two connections of it, outside of transactions
 */
export async function isPooled(
  [client, second]: readonly [PostgresClient, PostgresClient],
  { url }: PostgresUrl,
): Promise<boolean> {
  const pidOf = async (one: PostgresClient) => {
    const { rows } = await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    return rows[0]?.pid
  }
  const pid = await pidOf(client)
  // A pooler gives both one session, or the second another one when it is asked again, by whichever rule it chooses them.
  const other = await pidOf(second)
  const again = await pidOf(second)
  return other === pid || other !== again || url.searchParams.get('pgbouncer') === 'true'
}
