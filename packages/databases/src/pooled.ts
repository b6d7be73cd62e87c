import { Failure } from '@outgrow/kit'
import { withPlainPostgres, withPostgres, type PostgresClient } from './postgres.ts'
import { parseDatabaseUrl, type PostgresUrl } from './url.ts'

/**
 * Whether a URL leads to a pooler in transaction mode, which gives each statement any session. Nothing is set on the sessions
 * that are asked: they are the application's.
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE where two connections cannot be had
 */
export async function isPooled(target: PostgresUrl, signal?: AbortSignal): Promise<boolean> {
  if (target.url.searchParams.get('pgbouncer') === 'true') return true
  const ask = (using: typeof withPlainPostgres) =>
    using(target, (one) => using(target, (other) => shareSessions(one, other), signal), signal)
  try {
    return await ask(withPlainPostgres)
  } catch (error) {
    if (error instanceof Failure || signal?.aborted) throw error
    // A server that ends sessions as soon as they rest has to be told not to; a pooler would not pass that on.
    return await ask(withPostgres)
  }
}

/** URLs that were asked already, and are direct: a run asks before each of its connections. */
const direct = new Map<string, Promise<void>>()

/** @throws Failure OUTGROW_TARGET_POOLED, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID */
export async function refusePooled(database: string | PostgresUrl, signal?: AbortSignal): Promise<void> {
  const target = typeof database === 'string' ? parseDatabaseUrl(database) : database
  if (target.kind === 'sqlite') return
  const { href } = target.url
  const asking = direct.get(href) ?? refuse(target, signal)
  direct.set(href, asking)
  try {
    await asking
  } catch (error) {
    direct.delete(href)
    throw error
  }
}

async function refuse(target: PostgresUrl, signal: AbortSignal | undefined): Promise<void> {
  if (await isPooled(target, signal))
    throw pooled('This URL points to a pooler that shares sessions between transactions.')
}

async function shareSessions(one: PostgresClient, other: PostgresClient): Promise<boolean> {
  const ask = async (client: PostgresClient) =>
    (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
  const [first, second] = [await ask(one), await ask(other)]
  if (first === second) return true
  // A transaction of one takes a session: where they are shared, the next statement of the other gets another.
  await one.query('BEGIN')
  const during = await ask(other)
  await one.query('COMMIT')
  return during !== second || (await ask(one)) !== first
}

export function pooled(message: string): Failure {
  return new Failure({
    code: 'OUTGROW_TARGET_POOLED',
    message,
    why: 'This needs sessions of its own: settings, locks and COPY must stay on one connection.',
    fix: 'Set DIRECT_URL to the direct URL (often another port or host name), or pass that one; the application keeps the pooled one.',
  })
}
