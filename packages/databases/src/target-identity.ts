import { withPlainPostgres, type PostgresClient } from './postgres.ts'
import type { TargetIdentity } from './authority.ts'
import type { PostgresUrl } from './url.ts'

/**
 * Which Postgres a URL leads to, a pooler's included: nothing is set on the session.
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE
 */
export function readTargetIdentity(url: PostgresUrl): Promise<TargetIdentity> {
  return withPlainPostgres(url, (client) => targetIdentity(client, url.schema))
}

/** Which Postgres a connection leads to, outside of transactions. */
export async function targetIdentity(client: PostgresClient, schema: string): Promise<TargetIdentity> {
  const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database')
  const system = await client
    .query<{ system: string }>('SELECT system_identifier::text AS system FROM pg_control_system()')
    .then((result) => result.rows[0]?.system ?? null)
    .catch(() => null) // a role that may not ask
  return { database: rows[0]?.database ?? '', schema, system }
}

/** Whether two identities are of one target; a cluster that could not be asked is any. */
export function isSameTarget(one: TargetIdentity, other: TargetIdentity): boolean {
  return (
    one.database === other.database &&
    one.schema === other.schema &&
    (one.system === null || other.system === null || one.system === other.system)
  )
}
