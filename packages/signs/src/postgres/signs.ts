import { levelOf, type Sign, type Threshold } from '../level.ts'
import type { PostgresReadings } from './readings.ts'

const thresholds = {
  connections: {
    watch: 0.6,
    plan: 0.8,
    unit: 'share',
    source: 'max_connections: at the limit every further client is refused (53300)',
  },
  'idle-in-transaction': {
    watch: 1,
    plan: 5,
    unit: 'count',
    source: 'PostgreSQL: such a session keeps its locks and keeps VACUUM from removing rows',
  },
  'lock-waits': {
    watch: 1000,
    plan: 5000,
    unit: 'ms',
    source: 'PostgreSQL logs waits above deadlock_timeout, 1 s by default',
  },
  'cache-hits': {
    watch: 0.01,
    plan: 0.05,
    unit: 'share',
    source: 'usual advice for transactional use: 99 % of blocks from memory',
  },
  bloat: {
    watch: 1,
    unit: 'count',
    source: 'autovacuum_vacuum_scale_factor: a table is due at 20 % dead rows',
  },
  'unused-indexes': {
    watch: 1,
    unit: 'count',
    source: 'each index costs every write, and these answered no read',
  },
  'foreign-key-indexes': {
    watch: 1,
    unit: 'count',
    source: 'PostgreSQL does not index foreign keys: deleting a parent reads the whole child table',
  },
  'slow-statements': { watch: 100, unit: 'ms', source: 'people notice 100 ms' },
  'time-zone': {
    watch: 1,
    unit: 'count',
    source: 'Prisma’s adapter reads and writes timestamps right only in UTC',
  },
  pooler: {
    watch: 1,
    unit: 'count',
    source:
      'a pooler in transaction mode gives each transaction any session: what was SET or prepared is not there',
  },
} satisfies Record<string, Threshold>

/** Judges a Postgres database by its own statistics. */
export function postgresSigns(readings: PostgresReadings): Sign[] {
  const { connections, lockWaits, cacheHit, bloated, unusedIndexes, unindexedForeignKeys, slowest } = readings
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const names = (all: string[]) => (all.length === 0 ? 'none' : all.join(', '))
  const isUtc = /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i.test(readings.timeZone)
  return [
    sign(
      'connections',
      'Connections',
      connections.used / connections.limit,
      `${connections.used} of ${connections.limit}`,
      'Put pgbouncer before it, or lower connection_limit in each process’ URL.',
    ),
    sign(
      'idle-in-transaction',
      'Idle in transaction',
      readings.idleInTransaction,
      `${readings.idleInTransaction} for more than a minute`,
      "Take calls to other services out of transactions; ALTER ROLE … SET idle_in_transaction_session_timeout = '60s'.",
    ),
    sign(
      'lock-waits',
      'Lock waits',
      lockWaits.longestMs,
      lockWaits.sessions === 0
        ? 'nobody waits'
        : `${lockWaits.sessions} at once, the longest ${(lockWaits.longestMs / 1000).toFixed(1)} s`,
      'Find who holds the lock: SELECT pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type = ’Lock’.',
    ),
    sign(
      'cache-hits',
      'Cache hits',
      cacheHit === null ? null : 1 - cacheHit,
      cacheHit === null ? 'too few reads to tell' : percent(cacheHit),
      'Give the server more memory (shared_buffers a quarter of it), or find the statement that reads whole tables.',
    ),
    sign(
      'bloat',
      'Dead rows',
      bloated.length,
      names(bloated.map(({ table, deadShare }) => `${table} ${percent(deadShare)}`)),
      'VACUUM (ANALYZE) these tables, and look for a transaction that has been open for long.',
    ),
    sign(
      'unused-indexes',
      'Unused indexes',
      unusedIndexes.length,
      names(unusedIndexes.map(({ index, sizeBytes }) => `${index} ${(sizeBytes / 1e6).toFixed(0)} MB`)),
      'Drop them once a replica does not use them either.',
    ),
    sign(
      'foreign-key-indexes',
      'Foreign keys without an index',
      unindexedForeignKeys.length,
      names(unindexedForeignKeys.map(({ table, columns }) => `${table} (${columns})`)),
      'Add @@index([…]) for these fields to the schema.',
    ),
    ...(slowest === null
      ? []
      : [
          sign(
            'slow-statements',
            'Slowest statements',
            slowest[0]?.meanMs ?? 0,
            names(slowest.map(({ text, meanMs, calls }) => `${meanMs.toFixed(0)} ms × ${calls}: ${text}`)),
            'EXPLAIN (ANALYZE, BUFFERS) them.',
          ),
        ]),
    sign(
      'time-zone',
      'Time zone',
      isUtc ? 0 : 1,
      `${readings.timeZone}, for sessions that do not ask for another`,
      "The client here asks for UTC itself. For everything else: ALTER ROLE app SET timezone = 'UTC'.",
    ),
    sign(
      'pooler',
      'Pooler',
      readings.pooler === 'transaction' ? 1 : 0,
      readings.pooler === 'none' ? 'none in the way' : `one in ${readings.pooler} mode`,
      'Set time zone and time-outs for the role, not the session, and give migrations a direct connection.',
    ),
  ]
}

function sign(
  name: keyof typeof thresholds,
  title: string,
  value: number | null,
  text: string,
  advice: string,
): Sign {
  const threshold: Threshold = thresholds[name]
  const level = levelOf(value, threshold)
  return { name, title, level, value, text, threshold, advice: level === 'fine' ? '' : advice }
}
