import { parsePostgresUrl, refusePooled, withPlainPostgres } from '@outgrow/databases'

/** What a Postgres server says of itself, as far as a pooler in front of it is concerned. */
export interface ServerFacts {
  version: string
  maxConnections: number
  /** For superusers, and for whoever has pg_use_reserved_connections (Postgres 16). */
  superuserReserved: number
  /** Those that people connect to. */
  databases: { name: string; connectionLimit: number | null }[]
  /** Those that may log in. */
  roles: ServerRole[]
  /** Whether the role that asked may read what stands for passwords. */
  seesSecrets: boolean
  isSuperuser: boolean
}

interface ServerRole {
  name: string
  connectionLimit: number | null
  isSuperuser: boolean
  /** What stands for its password; null where it has none, or that may not be read. */
  secret: string | null
}

/**
 * Reads what a server permits and who is on it. Only reads.
 * @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export async function readServer(url: string): Promise<ServerFacts> {
  await refusePooled(parsePostgresUrl(url))
  return withPlainPostgres(url, async (client) => {
    const rows = async <Row>(text: string) => (await client.query(text)).rows as Row[]
    const [basics] = await rows<{
      version: string
      most: number
      reserved: number
      sees_secrets: boolean
      is_superuser: boolean
    }>(sql.basics)
    if (!basics) throw new Error('the server answered nothing')
    const roles = await rows<{ name: string; most: number; superuser: boolean; secret: string | null }>(
      basics.sees_secrets ? sql.rolesWithSecrets : sql.roles,
    )
    const databases = await rows<{ name: string; most: number }>(sql.databases)
    return {
      version: basics.version,
      maxConnections: basics.most,
      superuserReserved: basics.reserved,
      databases: databases.map(({ name, most }) => ({ name, connectionLimit: limit(most) })),
      roles: roles.map(({ name, most, superuser, secret }) => ({
        name,
        // The server holds no superuser to a limit.
        connectionLimit: superuser ? null : limit(most),
        isSuperuser: superuser,
        secret,
      })),
      seesSecrets: basics.sees_secrets,
      isSuperuser: basics.is_superuser,
    }
  })
}

function limit(stored: number): number | null {
  return stored < 0 ? null : stored
}

const sql = {
  basics: `SELECT current_setting('server_version') AS version, current_setting('max_connections')::int AS most,
    current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
    has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS sees_secrets,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser`,
  roles: `SELECT rolname AS name, rolconnlimit AS most, rolsuper AS superuser, NULL AS secret
    FROM pg_roles WHERE rolcanlogin ORDER BY rolname`,
  rolesWithSecrets: `SELECT rolname AS name, rolconnlimit AS most, rolsuper AS superuser, rolpassword AS secret
    FROM pg_authid WHERE rolcanlogin ORDER BY rolname`,
  databases: `SELECT datname AS name, datconnlimit AS most FROM pg_database
    WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname`,
}
