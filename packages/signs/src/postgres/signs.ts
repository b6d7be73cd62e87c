import { judged, type Sign, type Threshold } from '../level.ts'
import type { InsideSummary } from '../summary.ts'
import { connectionSign } from './connection-sign.ts'
import type { PostgresReadings } from './readings.ts'

/** Where each sign of a Postgres begins to matter. Alerts take their limits from here. */
export const postgresThresholds = {
  connections: {
    watch: 0.6,
    plan: 0.8,
    unit: 'share',
    source: 'max_connections: at the limit every new client is rejected (53300)',
  },
  'connection-wait': {
    watch: 100,
    plan: 500,
    unit: 'ms',
    source: 'people notice 100 ms; Prisma stops waiting to start a transaction after 2 s (maxWait)',
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
  'oldest-transaction': {
    watch: 300_000,
    plan: 3_600_000,
    unit: 'ms',
    source: 'PostgreSQL: VACUUM removes no row that the oldest open transaction could still see',
  },
  wraparound: {
    watch: 500_000_000,
    plan: 1_200_000_000,
    unit: 'count',
    source:
      'autovacuum_freeze_max_age is 200 million; vacuum_failsafe_age 1.6 billion; at 2.1 billion the server takes no writes',
  },
  archiving: {
    watch: 1,
    plan: 1,
    unit: 'count',
    source: 'PostgreSQL keeps every file of its log that was not archived, until the disk is full',
  },
  'replica-lag': {
    watch: 10_000,
    plan: 60_000,
    unit: 'ms',
    source: 'what a standby has not replayed, its readers do not see, and a failover loses',
  },
  'cache-misses': {
    watch: 0.01,
    plan: 0.05,
    unit: 'share',
    source: 'common advice for transactional workloads: 99 % of blocks from memory',
  },
  bloat: {
    watch: 1,
    unit: 'count',
    source: 'autovacuum_vacuum_scale_factor: a table is due at 20 % dead rows',
  },
  'unused-indexes': {
    watch: 1,
    unit: 'count',
    source: 'every index slows down writes, and these served no reads',
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
    source: 'Prisma’s adapter reads and writes timestamps correctly only in UTC',
  },
  pooler: {
    watch: 1,
    unit: 'count',
    source:
      'in transaction mode each transaction may get a different session: earlier SET and PREPARE are lost',
  },
} satisfies Record<string, Threshold>

const mayNot = 'not visible to this role: GRANT pg_monitor to it'

const poolers: Record<PostgresReadings['pooler'], string> = {
  none: 'none found',
  'other-port': 'the server listens on another port: a pooler in session mode, or a mapped port',
  transaction: 'one in transaction mode',
  unknown: 'not known: no second connection was available',
}

/**
 * Judges a Postgres database by its own statistics, and by what the application's processes counted.
 * @param hosts the other hosts of the same database, where the provider is known
 */
export function postgresSigns(
  readings: PostgresReadings,
  inside: InsideSummary | undefined,
  hosts: readonly string[] = [],
): Sign[] {
  const { connections, idleInTransaction, lockWaits, cacheHit, bloated, unusedIndexes } = readings
  const { unindexedForeignKeys, slowest, timeZone, pooler, connection } = readings
  const { oldestTransactionMs, wraparoundAge, archiver, replicas } = readings
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const names = (all: string[]) => (all.length === 0 ? 'none' : all.join(', '))
  const wait = inside?.waitP99Ms ?? null
  const isUtc = /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal)$/i.test(timeZone)
  return [
    judged('connections', postgresThresholds.connections, {
      title: 'Connections',
      value: connections.used / connections.limit,
      text: `${connections.used} of ${connections.limit}`,
      advice: 'Put pgbouncer in front of it, or lower connection_limit in each process’s URL.',
    }),
    judged('connection-wait', postgresThresholds['connection-wait'], {
      title: 'Wait for a connection',
      value: wait,
      text: wait === null ? 'not counted: no process records it' : `p99 ${Math.round(wait)} ms`,
      advice: 'Raise connection_limit in the URL, and shorten transactions.',
    }),
    judged('idle-in-transaction', postgresThresholds['idle-in-transaction'], {
      title: 'Idle in transaction',
      value: idleInTransaction,
      text: idleInTransaction === null ? mayNot : `${idleInTransaction} for more than a minute`,
      advice:
        "Take calls to other services out of transactions; ALTER ROLE … SET idle_in_transaction_session_timeout = '60s'.",
    }),
    judged('lock-waits', postgresThresholds['lock-waits'], {
      title: 'Lock waits',
      value: lockWaits && lockWaits.longestMs,
      text:
        lockWaits === null
          ? mayNot
          : lockWaits.sessions === 0
            ? 'no session is waiting'
            : `${lockWaits.sessions} at once, the longest ${(lockWaits.longestMs / 1000).toFixed(1)} s`,
      advice:
        "Find who holds the lock: SELECT pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type = 'Lock'.",
    }),
    judged('oldest-transaction', postgresThresholds['oldest-transaction'], {
      title: 'Oldest transaction',
      value: oldestTransactionMs,
      text: oldestTransactionMs === null ? mayNot : seconds(oldestTransactionMs),
      advice:
        'Find it: SELECT pid, state, query FROM pg_stat_activity ORDER BY xact_start; end it with pg_terminate_backend(pid).',
    }),
    judged('wraparound', postgresThresholds.wraparound, {
      title: 'Transaction ids in use',
      value: wraparoundAge,
      text: `${(wraparoundAge / 1e6).toFixed(1)} million since the oldest row that is not frozen`,
      advice:
        'Find what keeps VACUUM from freezing: an old transaction, a replication slot that nobody uses, a prepared transaction. Then VACUUM (FREEZE).',
    }),
    judged('archiving', postgresThresholds.archiving, {
      title: 'Archiving of the log',
      value: archiver.isFailing ? archiver.failed : Number(archiver.isBehind),
      text: archiver.isFailing
        ? `the latest attempt failed, ${archiver.failed} in all`
        : archiver.isBehind
          ? 'files wait, and none was archived for ten minutes'
          : archiver.archived === 0
            ? 'nothing was archived'
            : `${archiver.archived} files archived`,
      advice:
        'The server’s log says why archive_command fails; of one that hangs, look at the process. Until it works the log grows on the disk.',
    }),
    judged('replica-lag', postgresThresholds['replica-lag'], {
      title: 'Standbys',
      value: replicas && Math.max(0, ...replicas.map(({ lagMs }) => lagMs)),
      text:
        replicas === null
          ? mayNot
          : names(replicas.map(({ name, lagMs }) => `${name} ${seconds(lagMs)} behind`)),
      advice:
        'Look for long reads on the standby and for its disk; take it out of the readers until it is back.',
    }),
    judged('cache-misses', postgresThresholds['cache-misses'], {
      title: 'Cache hits',
      value: cacheHit === null ? null : 1 - cacheHit,
      text: cacheHit === null ? 'too few reads to judge' : percent(cacheHit),
      advice:
        'Give the server more memory (shared_buffers a quarter of it), or find the statement that reads whole tables.',
    }),
    judged('bloat', postgresThresholds.bloat, {
      title: 'Dead rows',
      value: bloated.length,
      text: names(bloated.map(({ table, deadShare }) => `${table} ${percent(deadShare)}`)),
      advice: 'VACUUM (ANALYZE) these tables, and look for a transaction that has been open for a long time.',
    }),
    judged('unused-indexes', postgresThresholds['unused-indexes'], {
      title: 'Unused indexes',
      value: unusedIndexes.length,
      text: names(unusedIndexes.map(({ index, sizeBytes }) => `${index} ${(sizeBytes / 1e6).toFixed(0)} MB`)),
      advice: 'Drop them once a replica does not use them either.',
    }),
    judged('foreign-key-indexes', postgresThresholds['foreign-key-indexes'], {
      title: 'Foreign keys without an index',
      value: unindexedForeignKeys.length,
      text: names(unindexedForeignKeys.map(({ table, columns }) => `${table} (${columns})`)),
      advice: 'Add @@index([…]) for these fields to the schema.',
    }),
    judged('slow-statements', postgresThresholds['slow-statements'], {
      title: 'Slowest statements',
      value: slowest === null ? null : (slowest[0]?.meanMs ?? 0),
      text:
        slowest === null
          ? 'not counted: the extension pg_stat_statements is not installed, or not visible to this role'
          : names(slowest.map(({ text, meanMs, calls }) => `${meanMs.toFixed(0)} ms × ${calls}: ${text}`)),
      advice: 'EXPLAIN (ANALYZE, BUFFERS) them.',
    }),
    judged('time-zone', postgresThresholds['time-zone'], {
      title: 'Time zone',
      value: isUtc ? 0 : 1,
      text: `${timeZone}, for sessions that do not ask for another`,
      advice: "This client sets UTC itself. For all other clients: ALTER ROLE app SET timezone = 'UTC'.",
    }),
    judged('pooler', postgresThresholds.pooler, {
      title: 'Pooler',
      value: pooler === 'unknown' ? null : pooler === 'transaction' ? 1 : 0,
      text: poolers[pooler],
      advice: `Set time zone and timeouts for the role, not the session, and give migrations a direct connection.${hosts.map((host) => ` ${host}.`).join('')}`,
    }),
    connectionSign(connection),
  ]
}
