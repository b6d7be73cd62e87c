import { join } from 'node:path'
import { authRole, statsUser } from './names.ts'
import { isLoopback } from './pool-urls.ts'
import type { PoolPlan, PoolSetting } from './plan-pool.ts'
import type { PoolRequest } from './pool-request.ts'

/** A configuration that pgbouncer 1.18 reads, and every newer one. */
export function renderIni(request: PoolRequest, plan: PoolPlan, secretQuery: string): string {
  const { databases, auth, listen } = request
  return [
    '; pgbouncer in transaction mode, written by outgrow pool. Read by pgbouncer 1.18 and newer;',
    '; run 1.25.2 or newer, where a crash that anybody could cause from outside is mended (CVE-2026-6664).',
    '',
    '[databases]',
    ...databases.map(({ name }) => `${name} = ${serverOf(request, name)}`),
    '',
    ...(auth === 'query' ? users(plan) : []),
    '[pgbouncer]',
    ...setting('listen_addr', listen.host, listenWhy(listen.host)),
    ...setting('listen_port', listen.port),
    ...(isLoopback(listen.host) ? [] : clientTls(request)),
    ...serverTls(request),
    '',
    ...authSettings(request, secretQuery),
    '',
    ...plan.settings.flatMap(({ name, value, why }: PoolSetting) => setting(name, value, why)),
    '',
    ...setting('stats_users', statsUser, 'May read the numbers (SHOW POOLS), and change nothing.'),
    '; ignore_startup_parameters must not name options: it would drop the time zone that a client asks for, in silence.',
    '; Named prepared statements need 1.21 or newer, and max_prepared_statements there; Prisma’s adapter sends unnamed ones.',
    '',
  ].join('\n')
}

function setting(name: string, value: string | number, why?: string): string[] {
  return [...(why === undefined ? [] : [`; ${why}`]), `${name} = ${value}`]
}

function serverOf({ server }: PoolRequest, database: string): string {
  return `host=${iniValue(server.host)} port=${server.port} dbname=${iniValue(database)}`
}

function users({ authConnections }: PoolPlan): string[] {
  return [
    '[users]',
    '; The role that asks for passwords has a pool of its own in each database, which is counted.',
    `${authRole} = max_user_connections=${authConnections}`,
    '',
  ]
}

function authSettings({ auth, folder }: PoolRequest, secretQuery: string): string[] {
  return [
    ...setting('auth_type', 'scram-sha-256'),
    ...setting(
      'auth_file',
      join(folder, 'userlist.txt'),
      'Wherever the files go: the user that pgbouncer runs as must be able to read it, and nobody else.',
    ),
    ...(auth === 'userlist'
      ? []
      : [
          ...setting('auth_user', authRole, 'Asks the server for the secret of whoever connects.'),
          ...setting('auth_query', secretQuery),
        ]),
  ]
}

function listenWhy(host: string): string {
  return isLoopback(host)
    ? 'Only from this machine: nobody listens on the way.'
    : 'From other machines: with TLS only.'
}

function clientTls({ folder }: PoolRequest): string[] {
  return [
    ...setting('client_tls_sslmode', 'require'),
    ...setting(
      'client_tls_key_file',
      join(folder, 'server.key'),
      'A certificate of the pooler, which is yours to make.',
    ),
    ...setting('client_tls_cert_file', join(folder, 'server.crt')),
  ]
}

function serverTls({ server }: PoolRequest): string[] {
  const { sslmode, rootCertificate } = server
  return [
    ...setting(
      'server_tls_sslmode',
      sslmode,
      'Between the pooler and the server, as on the direct way. Old versions use no TLS unless they are told to.',
    ),
    ...(rootCertificate === undefined
      ? []
      : setting(
          'server_tls_ca_file',
          rootCertificate,
          'What the server is checked with: the user that pgbouncer runs as must be able to read it.',
        )),
  ]
}

/** A value within a connection string. */
function iniValue(text: string): string {
  return /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`
}
