import { isIP } from 'node:net'
import { type Client } from 'pg'
import { Failure, messageOf } from '@outgrow/kit'
import { addressOf, connectTimeoutMs } from './address.ts'
import { clientFor, type ConnectionSettings } from './channel-binding.ts'
import { explainUnreachable, isConnectionLimit } from './providers/explain-unreachable.ts'
import { runStatements } from './run-statements.ts'
import { isTlsRefusal, tlsAttempts, tlsSettings, type Parameter, type TlsSettings } from './tls.ts'
import { parsePostgresUrl, type PostgresUrl } from './url.ts'
import { whileWaking } from './waking.ts'

export type PostgresClient = Client

/**
 * The settings `pg` needs, in the order in which they are tried (libpq's `prefer` falls back to plain text).
 * @throws Failure OUTGROW_URL_INVALID
 */
export function connectionAttempts(target: PostgresUrl): ConnectionSettings[] {
  const { url } = target
  const parameter = parametersOf(target)
  const { host, port, user } = addressOf(target)
  const base: ConnectionSettings = {
    ...clientFor(parameter('channel_binding', 'PGCHANNELBINDING')),
    host: addressToConnect(host, parameter('hostaddr', 'PGHOSTADDR')),
    port,
    user,
    database: decodeURIComponent(url.pathname.slice(1)) || process.env.PGDATABASE || user,
    application_name: parameter('application_name') ?? 'outgrow',
    connectionTimeoutMillis: connectTimeoutMs(target),
    // Whatever stands between drops what is silent, often after less than the two hours of the system.
    keepAlive: true,
    keepAliveInitialDelayMillis: Number(parameter('keepalives_idle') ?? 60) * 1000,
  }
  const password = decodeURIComponent(url.password) || parameter('password', 'PGPASSWORD')
  if (password !== undefined) base.password = password
  const options = parameter('options')
  if (options !== undefined) base.options = options
  if (host.startsWith('/')) return [{ ...base, ssl: false }]
  const negotiation = parameter('sslnegotiation', 'PGSSLNEGOTIATION')
  return tlsAttempts(parameter, host).map((ssl) => ({
    ...base,
    ssl,
    sslnegotiation: ssl !== false && negotiation === 'direct' ? 'direct' : 'postgres',
  }))
}

function parametersOf({ url }: PostgresUrl): Parameter {
  return (name, variable) =>
    url.searchParams.get(name) || (variable === undefined ? undefined : process.env[variable]) || undefined
}

/**
 * How a URL's server is checked, the environment and the files in ~/.postgresql included.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function tlsSettingsOf(target: PostgresUrl): TlsSettings {
  if (addressOf(target).host.startsWith('/')) return { mode: 'disable', root: undefined } // a socket has no TLS
  return tlsSettings(parametersOf(target))
}

/** libpq's `hostaddr`: where to connect, while the certificate and the server are still asked by the host's name. */
function addressToConnect(host: string, address: string | undefined): string {
  if (address === undefined || host.startsWith('/')) return host
  if (isIP(address) !== 0) return address
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `hostaddr=${address} is not an IP address.`,
    fix: 'A name belongs into the host.',
  })
}

const sessionSettings = [
  "SET TIME ZONE 'UTC'",
  // A policy that would hide rows is an error then: nobody is to take such a table for empty.
  'SET row_security = off',
  'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED',
  "SET datestyle = 'ISO, YMD'",
  "SET intervalstyle = 'iso_8601'",
  'SET extra_float_digits = 3',
  "SET bytea_output = 'hex'",
  "SET client_encoding = 'UTF8'",
  'SET statement_timeout = 0',
  'SET lock_timeout = 0',
  'SET idle_in_transaction_session_timeout = 0',
  // What this code writes and what the server spells are read by each other.
  'SET standard_conforming_strings = on',
  'SET quote_all_identifiers = off',
  ...['idle_session_timeout', 'transaction_timeout'].map(
    (name) => `SELECT set_config('${name}', '0', false) WHERE current_setting('${name}', true) IS NOT NULL`,
  ),
]

/**
 * Connects, with every session in UTC and ISO dates whatever the server is set to.
 * @param settings statements that set up more than that
 * @param signal ends the connection when it aborts, also while it is being made
 * @param protocol `replication` takes commands such as BASE_BACKUP beside statements
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE
 */
export function connectPostgres(
  target: string | PostgresUrl,
  settings: readonly string[] = [],
  signal?: AbortSignal,
  protocol: 'sql' | 'replication' = 'sql',
): Promise<PostgresClient> {
  return connect(target, [...sessionSettings, ...settings], signal, protocol)
}

async function connect(
  target: string | PostgresUrl,
  settings: readonly string[],
  signal?: AbortSignal,
  protocol: 'sql' | 'replication' = 'sql',
): Promise<PostgresClient> {
  const parsed = typeof target === 'string' ? parsePostgresUrl(target) : target
  return whileWaking(parsed, () => connectOnce(parsed, settings, signal, protocol), { signal })
}

async function connectOnce(
  parsed: PostgresUrl,
  settings: readonly string[],
  signal: AbortSignal | undefined,
  protocol: 'sql' | 'replication',
): Promise<PostgresClient> {
  const attempts = connectionAttempts(parsed)
  let failure: unknown
  for (const config of attempts) {
    const client = new config.Client(protocol === 'sql' ? config : replicating(config))
    client.on('error', () => {}) // a lost connection is reported by the query that finds it
    const hangUp = () => client.connection.stream.destroy()
    signal?.addEventListener('abort', hangUp)
    client.once('end', () => signal?.removeEventListener('abort', hangUp))
    try {
      signal?.throwIfAborted()
      await client.connect()
      await runStatements(client, settings)
      return client
    } catch (error) {
      failure = error
      await client.end().catch(() => {})
      if (signal?.aborted || !isTlsRefusal(error)) break
    }
  }
  throw unreachable(parsed, failure)
}

/** The driver sends this parameter, but its types do not know it. */
function replicating<Config extends object>(config: Config): Config & { replication: string } {
  return { ...config, replication: 'database' }
}

/** Runs `use` with a connection that is closed afterwards. */
export async function withPostgres<Result>(
  target: string | PostgresUrl,
  use: (client: PostgresClient) => Promise<Result>,
): Promise<Result> {
  return closing(await connectPostgres(target), use)
}

/**
 * As `withPostgres`, with nothing set: behind a pooler a setting would stay with whoever gets the session next, and its admin
 * console knows none.
 * @param signal ends the connection when it aborts, also while it is being made
 */
export async function withPlainPostgres<Result>(
  target: string | PostgresUrl,
  use: (client: PostgresClient) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  return closing(await connect(target, [], signal), use)
}

async function closing<Result>(
  client: PostgresClient,
  use: (client: PostgresClient) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** What a failed connection is reported as; where the provider is known, in its terms. */
export function unreachable(target: PostgresUrl, cause: unknown): Failure {
  const { host, port, user } = addressOf(target)
  const database = decodeURIComponent(target.url.pathname.slice(1)) || process.env.PGDATABASE || user
  const code = (cause as { code?: string } | undefined)?.code
  const message = messageOf(cause)
  const fix =
    code === '28P01' || code === '28000'
      ? 'Check the user and the password in the URL.'
      : code === '3D000'
        ? `Create it first: CREATE DATABASE "${database}".`
        : isConnectionLimit(code ?? '', message)
          ? 'The server, the database, the role or the pooler has no connection left, and a move needs three: close some, raise max_connections, or run ALTER ROLE … CONNECTION LIMIT 10.'
          : 'Check host, port and sslmode, and that the server is running.'
  return new Failure({
    code: 'OUTGROW_POSTGRES_UNREACHABLE',
    message: `Cannot connect to Postgres at ${host}:${port}/${database}: ${message}`,
    fix,
    ...explainUnreachable(target, cause),
    cause: { code, message },
  })
}
