import { setTimeout as sleep } from 'node:timers/promises'
import { connectPostgres, parsePostgresUrl, withPostgres, type PostgresClient } from '@outgrow/databases'

export interface PostgresReadings {
  version: string
  sizeBytes: number
  connections: { used: number; limit: number }
  /** Sessions that hold a transaction open and do nothing, for more than a minute. */
  idleInTransaction: number
  /** The most sessions that waited for a lock at once, and the longest wait in ms, over the looks. */
  lockWaits: { sessions: number; longestMs: number }
  /** Blocks found in the server's memory, of all that were asked for; null where too few were. */
  cacheHit: number | null
  /** Tables of which a large part is rows that are gone. */
  bloated: { table: string; deadShare: number }[]
  unusedIndexes: { index: string; sizeBytes: number }[]
  /** Foreign keys of large tables whose columns no index begins with. */
  unindexedForeignKeys: { table: string; constraint: string; columns: string }[]
  /** Slowest statements by mean time; null without pg_stat_statements. */
  slowest: { text: string; meanMs: number; calls: number }[] | null
  /** The zone that a session gets which asks for none. */
  timeZone: string
  /** What stands between: a server that answers on another port, or another backend for each statement. */
  pooler: 'none' | 'session' | 'transaction'
}

const sql = {
  basics: `SELECT current_setting('server_version') AS version, pg_database_size(current_database())::float8 AS size,
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS "limit",
    (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()
       AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 minute') AS idle,
    (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') AS zone`,
  lockWaits: `SELECT count(*)::int AS sessions, coalesce(max(extract(epoch FROM now() - l.waitstart) * 1000), 0)::float8 AS ms
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`,
  cache: `SELECT blks_hit::float8 AS hit, (blks_hit + blks_read)::float8 AS asked FROM pg_stat_database WHERE datname = current_database()`,
  bloat: `SELECT schemaname || '.' || relname AS "table", n_dead_tup::float8 / greatest(n_live_tup + n_dead_tup, 1) AS share
    FROM pg_stat_user_tables WHERE n_dead_tup > 10000 AND n_dead_tup > 0.2 * (n_live_tup + n_dead_tup) ORDER BY n_dead_tup DESC LIMIT 5`,
  unused: `SELECT s.schemaname || '.' || s.indexrelname AS index, pg_relation_size(s.indexrelid)::float8 AS size
    FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid), pg_stat_database d
    WHERE d.datname = current_database() AND s.idx_scan = 0 AND NOT i.indisunique AND pg_relation_size(s.indexrelid) > 10000000
      AND coalesce(d.stats_reset, pg_postmaster_start_time()) < now() - interval '1 day' ORDER BY size DESC LIMIT 5`,
  foreignKeys: `SELECT c.conrelid::regclass::text AS "table", c.conname AS "constraint",
      (SELECT string_agg(a.attname, ', ' ORDER BY k.at) FROM unnest(c.conkey) WITH ORDINALITY AS k(num, at)
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND t.reltuples > 10000 AND NOT EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
    ORDER BY t.reltuples DESC LIMIT 5`,
  statements: `SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 80) AS text, mean_exec_time AS ms, calls::float8 AS calls
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = current_database() AND calls >= 20 ORDER BY mean_exec_time DESC LIMIT 3`,
}

/**
 * Looks at a Postgres database for a while, through its own statistics.
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export async function probePostgres(
  url: string,
  { windowMs, signal }: { windowMs: number; signal?: AbortSignal | undefined },
): Promise<PostgresReadings> {
  return withPostgres(url, async (client) => {
    const rows = async <Row>(text: string) => (await client.query(text)).rows as Row[]
    type Basics = { version: string; size: number; used: number; limit: number; idle: number; zone: string }
    const [basics] = (await rows<Basics>(sql.basics)) as [Basics]
    const [cache] = await rows<{ hit: number; asked: number }>(sql.cache)
    const lockWaits = await watchLocks(client, windowMs, signal)
    const toForeignKeys = await rows<PostgresReadings['unindexedForeignKeys'][number]>(sql.foreignKeys)
    return {
      version: basics.version,
      sizeBytes: basics.size,
      connections: { used: basics.used, limit: basics.limit },
      idleInTransaction: basics.idle,
      lockWaits,
      cacheHit: cache && cache.asked > 1_000_000 ? cache.hit / cache.asked : null,
      bloated: (await rows<{ table: string; share: number }>(sql.bloat)).map(({ table, share }) => ({
        table,
        deadShare: share,
      })),
      unusedIndexes: (await rows<{ index: string; size: number }>(sql.unused)).map(({ index, size }) => ({
        index,
        sizeBytes: size,
      })),
      unindexedForeignKeys: toForeignKeys,
      slowest: await slowestStatements(client),
      timeZone: basics.zone,
      pooler: await poolerBefore(url, client),
    }
  })
}

async function watchLocks(
  client: PostgresClient,
  windowMs: number,
  signal: AbortSignal | undefined,
): Promise<PostgresReadings['lockWaits']> {
  const seen = { sessions: 0, longestMs: 0 }
  const ends = performance.now() + windowMs
  const isOver = () => performance.now() >= ends || signal?.aborted === true
  do {
    const { rows } = await client.query<{ sessions: number; ms: number }>(sql.lockWaits)
    seen.sessions = Math.max(seen.sessions, rows[0]?.sessions ?? 0)
    seen.longestMs = Math.max(seen.longestMs, rows[0]?.ms ?? 0)
    await sleep(100)
  } while (!isOver())
  return seen
}

async function slowestStatements(client: PostgresClient): Promise<PostgresReadings['slowest']> {
  const { rowCount } = await client.query("SELECT FROM pg_extension WHERE extname = 'pg_stat_statements'")
  if (rowCount === 0) return null
  try {
    const { rows } = await client.query<{ text: string; ms: number; calls: number }>(sql.statements)
    return rows.map(({ text, ms, calls }) => ({ text, meanMs: ms, calls }))
  } catch {
    return null // installed, but not preloaded, or in a schema that is out of sight
  }
}

/** A pooler in transaction mode gives each statement any backend; one in session mode answers on another port. */
async function poolerBefore(url: string, client: PostgresClient): Promise<PostgresReadings['pooler']> {
  const where = `SELECT pg_backend_pid() AS pid, inet_server_port() AS port`
  type Row = { pid: number; port: number | null }
  const ask = async (one: PostgresClient) => (await one.query<Row>(where)).rows[0] as Row
  const first = await ask(client)
  const other = await connectPostgres(url)
  try {
    const second = await ask(other)
    if (second.pid === first.pid) return 'transaction'
    // Our transaction takes the backend; the other connection's next statement gets another one.
    await client.query('BEGIN')
    const during = await ask(other)
    await client.query('COMMIT')
    if (during.pid !== second.pid || (await ask(client)).pid !== first.pid) return 'transaction'
  } finally {
    await other.end().catch(() => {})
  }
  const { port } = parsePostgresUrl(url).url
  return first.port !== null && Number(port === '' ? 5432 : port) !== first.port ? 'session' : 'none'
}
