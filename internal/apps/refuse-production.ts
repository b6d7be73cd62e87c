import { existsSync } from 'node:fs'
import {
  connectSql,
  parseDatabaseUrl,
  parsePostgresUrl,
  quoteIdentifier,
  type PostgresUrl,
  type SqlConnection,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/**
 * Refuses to develop on what may be somebody's production: a server on another machine, or a database that holds live
 * events of Stripe.
 * @throws Failure OUTGROW_DEV_DATABASE
 */
export async function refuseProduction(databaseUrl: string): Promise<void> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite' && !existsSync(url.path)) return
  if (url.kind === 'postgres') refuseRemote(url)
  const connection = await connectSql(databaseUrl)
  try {
    const table = await liveTable(connection)
    if (table !== undefined) throw refused(`${table} contains live events from Stripe.`)
  } finally {
    await connection.close()
  }
}

/**
 * Refuses another machine as the place where what is developed would graduate to; nothing is connected to yet.
 * @throws Failure OUTGROW_DEV_DATABASE
 */
export function refuseRemoteTarget(postgresUrl: string | undefined): void {
  if (postgresUrl === undefined || postgresUrl === '') return
  refuseRemote(parsePostgresUrl(postgresUrl), 'Unset POSTGRES_URL, or set it to a database on this machine.')
}

function refuseRemote({ url }: PostgresUrl, fix?: string): void {
  const named = url.searchParams.get('host') ?? url.hostname
  const host = named || process.env.PGHOST || 'localhost' // as the connection takes it
  if (!isLoopback(decodeURIComponent(host))) throw refused(`${host} is not this machine.`, fix)
}

function isLoopback(host: string): boolean {
  return host.startsWith('/') || /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host)
}

async function liveTable({ provider, query }: SqlConnection): Promise<string | undefined> {
  const tables = await query(
    provider === 'sqlite'
      ? "SELECT m.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'livemode' WHERE m.type = 'table'"
      : "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns WHERE column_name = 'livemode' AND data_type = 'boolean'",
  )
  for (const { name } of tables) {
    const table = provider === 'sqlite' ? quoteIdentifier(String(name)) : String(name)
    const rows = await query(`SELECT 1 FROM ${table} WHERE livemode LIMIT 1`)
    if (rows.length > 0) return String(name)
  }
  return undefined
}

function refused(
  fact: string,
  fix = 'Pass a database on this machine with --database, or omit the option.',
): Failure {
  return new Failure({
    code: 'OUTGROW_DEV_DATABASE',
    message: `pnpm dev refuses this database: ${fact}`,
    why: 'dev deploys migrations, seeds data, and lets a stand-in for Stripe write to the database.',
    fix,
  })
}
