import {
  emptyCounters,
  parseDatabaseUrl,
  postgresAdapterFactory,
  sqliteAdapterFactory,
  TransactionScope,
  type DatabaseCounters,
  type DriverAdapterFactory,
  type PostgresAdapterOptions,
  type PostgresUrl,
  type SqliteAdapterOptions,
  type SqliteUrl,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/** What an adapter counts into, and by what it knows its own transactions' callbacks. */
export interface AdapterState {
  counters: DatabaseCounters
  scope: TransactionScope
}

export function newAdapterState(): AdapterState {
  return { counters: emptyCounters(), scope: new TransactionScope() }
}

/**
 * Prisma's SQLite adapter made safe, for those who make their client themselves:
 * `new PrismaClient({ adapter: await sqliteAdapter('file:./app.db') })`.
 * @throws Failure OUTGROW_URL_INVALID
 */
export async function sqliteAdapter(url: string): Promise<DriverAdapterFactory> {
  const parsed = parseDatabaseUrl(url)
  if (parsed.kind === 'sqlite') return sqliteFactory(parsed, newAdapterState())
  throw wrongKind('sqliteAdapter', 'file:./app.db')
}

/**
 * Prisma's Postgres adapter with every session in UTC, for those who make their client themselves.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_TIMEZONE
 */
export async function postgresAdapter(url: string): Promise<DriverAdapterFactory> {
  const parsed = parseDatabaseUrl(url)
  if (parsed.kind === 'postgres') return postgresFactory(parsed, newAdapterState())
  throw wrongKind('postgresAdapter', 'postgresql://app@localhost/app')
}

export function sqliteFactory(
  { path, parameters }: SqliteUrl,
  state: AdapterState,
  afterBegin?: SqliteAdapterOptions['afterBegin'],
): DriverAdapterFactory {
  return sqliteAdapterFactory({
    path,
    lockTimeoutMs: lockTimeoutMs(parameters),
    synchronous: parameters.get('synchronous')?.toLowerCase() === 'full' ? 'FULL' : 'NORMAL',
    ...state,
    ...(afterBegin && { afterBegin }),
  })
}

export function postgresFactory(
  url: PostgresUrl,
  state: AdapterState,
  hooks?: Pick<PostgresAdapterOptions, 'afterBegin' | 'verify'>,
): Promise<DriverAdapterFactory> {
  // Who follows has opened a file, which keeps no process alive; nor do replicas.
  return postgresAdapterFactory({ url, ...state, ...(hooks && { ...hooks, allowExitOnIdle: true }) })
}

/** How long a write waits for another process' lock. */
export function lockTimeoutMs(parameters: URLSearchParams): number {
  const text = parameters.get('lock_timeout')
  const seconds = text === null ? 5 : Number(text)
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `lock_timeout=${text ?? ''} is not a number of seconds.`,
    fix: 'For example file:./app.db?lock_timeout=10',
  })
}

function wrongKind(adapter: string, example: string): Failure {
  return new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `${adapter} was given the URL of another database.`,
    fix: `Pass one such as ${example}, or use openDatabase, which takes either.`,
  })
}
