import { providerOf, withPostgres, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/** What pgBackRest's configuration needs to know of a running server. */
export interface OwnServer {
  /** `server_version_num`: 150016 */
  version: number
  dataDirectory: string
  /** Outside of the data directory on Debian. */
  configFile: string
  hbaFile: string
  /** Folder with pg_ctl. */
  binaries: string
  port: number
  /** Undefined where it listens on no socket. */
  socketDirectory: string | undefined
  walLevel: string
  maxWalSenders: number
  archiveMode: string
  archiveCommand: string
}

/** Roles that only a provider’s servers have, for those whose host says nothing. */
const providerRoles: Record<string, string> = {
  rds_superuser: 'Amazon RDS or Aurora',
  cloudsqlsuperuser: 'Google Cloud SQL',
  azure_pg_admin: 'Azure',
  neon_superuser: 'Neon',
  supabase_admin: 'Supabase',
  doadmin: 'DigitalOcean',
}

/**
 * Asks a server for what its configuration of backups depends on.
 * @throws Failure OUTGROW_BACKUP_MANAGED, OUTGROW_BACKUP_ROLE, OUTGROW_BACKUP_SERVER_VERSION
 */
export function readOwnServer(url: string): Promise<OwnServer> {
  refuseProvider(url)
  return withPostgres(url, async (client) => {
    await refuseRole(client)
    const { rows } = await client.query<{ name: string; setting: string }>(
      `SELECT name, setting FROM pg_settings
       UNION ALL SELECT 'binaries', setting FROM pg_config WHERE name = 'BINDIR'`,
    )
    const settings = new Map(rows.map(({ name, setting }) => [name, setting]))
    const of = (name: string) => settings.get(name) ?? ''
    const version = Number(of('server_version_num'))
    if (version < 130_000) {
      throw new Failure({
        code: 'OUTGROW_BACKUP_SERVER_VERSION',
        message: `The server is PostgreSQL ${of('server_version')}.`,
        why: 'What is written here is for PostgreSQL 13 and later.',
        fix: 'Upgrade it; the project no longer maintains earlier versions.',
      })
    }
    return {
      version,
      dataDirectory: of('data_directory'),
      configFile: of('config_file'),
      hbaFile: of('hba_file'),
      binaries: of('binaries'),
      port: Number(of('port')),
      socketDirectory: of('unix_socket_directories').split(',')[0]?.trim() || undefined,
      walLevel: of('wal_level'),
      maxWalSenders: Number(of('max_wal_senders')),
      archiveMode: of('archive_mode'),
      archiveCommand: of('archive_command'),
    }
  })
}

/** @throws Failure OUTGROW_BACKUP_MANAGED for a host that is known to be a provider's */
export function refuseProvider(url: string): void {
  const provider = providerOf(url)?.provider
  if (provider) throw managed(`The host is one of ${provider.title}.`, provider.backups?.text)
}

async function refuseRole(client: PostgresClient): Promise<void> {
  const { rows } = await client.query<{ role: string }>(
    'SELECT rolname AS role FROM pg_roles WHERE rolname = ANY ($1)',
    [Object.keys(providerRoles)],
  )
  const role = rows[0]?.role
  if (role !== undefined) throw managed(`The server has the role ${role}, as on ${providerRoles[role]}.`)
  const { rows: me } = await client.query<{ isSuperuser: boolean }>(
    'SELECT rolsuper AS "isSuperuser" FROM pg_roles WHERE rolname = current_user',
  )
  if (me[0]?.isSuperuser === true) return
  throw new Failure({
    code: 'OUTGROW_BACKUP_ROLE',
    message: 'The role is not a superuser, so it sees neither the server’s folders nor its archiving.',
    why: 'On a managed Postgres nobody is: pgBackRest cannot be used there.',
    fix: 'Pass the URL of a superuser of your own server. For a managed one, use `outgrow backup`.',
  })
}

function managed(message: string, backups?: string): Failure {
  const offer = backups === undefined ? '' : ` The provider has: ${backups}`
  return new Failure({
    code: 'OUTGROW_BACKUP_MANAGED',
    message,
    why: `pgBackRest reads the server’s files, and a provider gives nobody access to them.${offer}`,
    fix: 'Use the point-in-time recovery of the provider, and `outgrow backup` for a copy that is yours.',
  })
}
