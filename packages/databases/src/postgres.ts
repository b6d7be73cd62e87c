import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import { Client, type ClientConfig } from 'pg'
import { Failure, messageOf } from '@outgrow/kit'
import { runStatements } from './run-statements.ts'
import { parsePostgresUrl, type PostgresUrl } from './url.ts'

export type PostgresClient = Client

type Ssl = false | ConnectionOptions

/** The settings `pg` needs, in the order in which they are tried (libpq's `prefer` falls back to plain text). */
export function connectionAttempts({ url }: PostgresUrl): ClientConfig[] {
  const parameter = (name: string) => url.searchParams.get(name) ?? undefined
  // An IPv6 address stands in brackets in a URL, and without them everywhere else.
  const host = (parameter('host') ?? decodeURIComponent(url.hostname)).replace(/^\[(.*)\]$/, '$1')
  const socket = host.startsWith('/')
  const user = decodeURIComponent(url.username) || parameter('user') || process.env.PGUSER
  const base: ClientConfig = {
    host: host || process.env.PGHOST || 'localhost',
    port: Number(url.port || parameter('port') || process.env.PGPORT || 5432),
    user: user ?? userInfo().username,
    database: decodeURIComponent(url.pathname.slice(1)) || process.env.PGDATABASE || (user ?? 'postgres'),
    application_name: parameter('application_name') ?? 'outgrow',
    connectionTimeoutMillis: Number(parameter('connect_timeout') ?? 15) * 1000,
    keepAlive: true,
  }
  const password = decodeURIComponent(url.password) || parameter('password') || process.env.PGPASSWORD
  if (password !== undefined) base.password = password
  const options = parameter('options')
  if (options !== undefined) base.options = options
  if (socket) return [{ ...base, ssl: false }]
  return sslAttempts(parameter('sslmode') ?? process.env.PGSSLMODE ?? 'prefer', base.host, parameter).map(
    (ssl) => ({ ...base, ssl }),
  )
}

/** libpq's meaning of sslmode: `require` encrypts without checking who answers, unless a root certificate is given. */
function sslAttempts(
  mode: string,
  host: string | undefined,
  parameter: (name: string) => string | undefined,
): Ssl[] {
  const file = (name: string) => {
    const path = parameter(name)
    if (path === undefined || path === 'system') return undefined
    try {
      return readFileSync(path)
    } catch (cause) {
      throw new Failure({
        code: 'OUTGROW_URL_INVALID',
        message: `${name}=${path} cannot be read: ${messageOf(cause)}`,
        why: 'The URL names this file to secure the connection.',
        fix: `Correct ${name} in the URL; a relative path starts at the folder where the command runs.`,
        cause,
      })
    }
  }
  const ca = file('sslrootcert')
  const cert = file('sslcert')
  const key = file('sslkey')
  const given: ConnectionOptions = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(host && !/^[\d.:]+$/.test(host) && { servername: host }),
  }
  const unchecked: Ssl = { ...given, rejectUnauthorized: false }
  const certificate: Ssl = { ...given, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  switch (mode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, unchecked]
    case 'prefer':
      return [unchecked, false]
    case 'require':
    case 'no-verify':
      return [ca ? certificate : unchecked]
    case 'verify-ca':
      return [certificate]
    case 'verify-full':
      return [{ ...given, rejectUnauthorized: true }]
    default:
      throw new Failure({
        code: 'OUTGROW_URL_INVALID',
        message: `sslmode=${mode} is not a valid mode.`,
        fix: 'Use disable, allow, prefer, require, verify-ca or verify-full.',
      })
  }
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
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE
 */
export async function connectPostgres(
  target: string | PostgresUrl,
  settings: readonly string[] = [],
  signal?: AbortSignal,
): Promise<PostgresClient> {
  const parsed = typeof target === 'string' ? parsePostgresUrl(target) : target
  const attempts = connectionAttempts(parsed)
  let failure: unknown
  for (const config of attempts) {
    const client = new Client(config)
    client.on('error', () => {}) // a lost connection is reported by the query that finds it
    const hangUp = () => client.connection.stream.destroy()
    signal?.addEventListener('abort', hangUp)
    client.once('end', () => signal?.removeEventListener('abort', hangUp))
    try {
      signal?.throwIfAborted()
      await client.connect()
      await runStatements(client, [...sessionSettings, ...settings])
      return client
    } catch (error) {
      failure = error
      await client.end().catch(() => {})
      if (signal?.aborted || !sslRefused(error)) break
    }
  }
  throw unreachable(attempts[0] as ClientConfig, failure)
}

/** Runs `use` with a connection that is closed afterwards. */
export async function withPostgres<Result>(
  target: string | PostgresUrl,
  use: (client: PostgresClient) => Promise<Result>,
): Promise<Result> {
  const client = await connectPostgres(target)
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

function sslRefused(error: unknown): boolean {
  const message = messageOf(error)
  return /does not support SSL|no pg_hba.conf entry|SSL (is )?(off|required)|encryption/i.test(message)
}

function unreachable(config: ClientConfig, cause: unknown): Failure {
  const where = `${config.host}:${config.port}/${config.database}`
  const code = (cause as { code?: string } | undefined)?.code
  const fix =
    code === '28P01' || code === '28000'
      ? 'Check the user and the password in the URL.'
      : code === '3D000'
        ? `Create it first: CREATE DATABASE "${config.database}".`
        : code === '53300'
          ? 'A move needs three connections, but the server, the database or the role has none left: close some, raise max_connections, or run ALTER ROLE … CONNECTION LIMIT 10.'
          : 'Check host, port and sslmode, and that the server is running.'
  return new Failure({
    code: 'OUTGROW_POSTGRES_UNREACHABLE',
    message: `Cannot connect to Postgres at ${where}: ${messageOf(cause)}`,
    fix,
    cause: { code, message: messageOf(cause) },
  })
}
