import type { PostgresClient, PostgresUrl } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/** The oldest server whose catalogs are understood. */
const oldestMajor = 12

/**
 * Refuses a server of which no right backup could be made, or none restored: a pooler that shares sessions, or one too old.
 * @param clients two of its connections, outside of transactions
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_BACKUP_SERVER
 */
export async function refuseServer(
  [client, second]: [PostgresClient, PostgresClient],
  { url }: PostgresUrl,
): Promise<void> {
  const pidOf = async (one: PostgresClient) => {
    const { rows } = await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    return rows[0]?.pid
  }
  const [pid, other, again] = [await pidOf(client), await pidOf(second), await pidOf(second)]
  if (other === pid || other !== again || url.searchParams.get('pgbouncer') === 'true') {
    throw new Failure({
      code: 'OUTGROW_TARGET_POOLED',
      message: 'This URL points to a pooler that shares sessions between transactions.',
      why: 'A backup and a restore need sessions of their own: settings and COPY must stay on one connection.',
      fix: 'Pass the direct URL (often another port or host name, such as DIRECT_URL); keep the pooled one for the application.',
    })
  }
  const version = await serverVersion(client)
  if (version.number >= oldestMajor * 10_000) return
  throw new Failure({
    code: 'OUTGROW_BACKUP_SERVER',
    message: `The server is ${version.words}.`,
    why: `Backups know the catalogs of PostgreSQL ${oldestMajor} and later.`,
    fix: 'Upgrade the server, or use its own pg_dump.',
  })
}

/** `PostgreSQL 18.4`, and 180004. */
export async function serverVersion(client: PostgresClient): Promise<{ words: string; number: number }> {
  const { rows } = await client.query<{ words: string; number: number }>(
    "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) AS words, current_setting('server_version_num')::int AS number",
  )
  return rows[0] as { words: string; number: number }
}

export const majorOf = (version: number): number => Math.trunc(version / 10_000)
