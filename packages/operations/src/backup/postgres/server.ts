import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

const oldestMajor = 12
/** That of pg_dump. */
const newestMajor = 18

/** Of these versions pg_dump and what is read here know the catalogs. @throws Failure OUTGROW_BACKUP_SERVER */
export async function refuseSourceVersion(client: PostgresClient): Promise<void> {
  const { words, number } = await serverVersion(client)
  const major = majorOf(number)
  if (major >= oldestMajor && major <= newestMajor) return
  throw new Failure({
    code: 'OUTGROW_BACKUP_SERVER',
    message: `The server is ${words}.`,
    why: `This version backs up PostgreSQL ${oldestMajor} to ${newestMajor}: those are the catalogs that it knows.`,
    fix:
      major < oldestMajor
        ? 'Upgrade the server, or use its own pg_dump.'
        : 'Upgrade outgrow, or use the server’s own pg_dump.',
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
