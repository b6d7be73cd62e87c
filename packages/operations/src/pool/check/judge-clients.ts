import { isUtc } from './read-behind.ts'
import type { Judgement, PoolFinding, PoolReadings } from './pool-readings.ts'

/** What the application meets: whether it is pooled, waits, and finds room. */
export function judgeClients(readings: PoolReadings): Judgement {
  return {
    findings: [...urls(readings), ...room(readings), ...waits(readings), ...zone(readings)],
    unknown: unknownOf(readings),
  }
}

function unknownOf(readings: PoolReadings): string[] {
  const { pooler, processes, timeZone, isPooledUrlPooled, isDirectUrlPooled } = readings
  return [
    ...(processes === undefined ? ['whether the clients find room: pass --processes'] : []),
    ...(pooler.POOLS ? [] : ['who waits: SHOW POOLS is refused']),
    ...(timeZone === undefined
      ? ['the time zone through the pooler: DATABASE_URL is not set, or cannot be reached']
      : []),
    ...(isPooledUrlPooled === undefined
      ? ['whether DATABASE_URL is pooled: it is not set, cannot be reached, or SHOW CLIENTS does not tell']
      : []),
    ...(isDirectUrlPooled === undefined
      ? ['whether DIRECT_URL is direct: it is not set, cannot be reached, or SHOW CLIENTS does not tell']
      : []),
  ]
}

function urls({ isPooledUrlPooled, isDirectUrlPooled }: PoolReadings): PoolFinding[] {
  return [
    ...(isPooledUrlPooled === false
      ? [
          {
            code: 'OUTGROW_POOL_BYPASSED' as const,
            fact: 'DATABASE_URL does not lead through this pooler.',
            why: 'The application takes the server’s connections beside those that the pool was counted with.',
            fix: 'Set DATABASE_URL to the pooler’s host and port.',
          },
        ]
      : []),
    ...(isDirectUrlPooled === true
      ? [
          {
            code: 'OUTGROW_POOL_DIRECT_POOLED' as const,
            fact: 'DIRECT_URL leads through a pooler.',
            why: 'Migrations, moves and backups need sessions of their own.',
            fix: 'Set DIRECT_URL to the server’s own host and port.',
          },
        ]
      : []),
  ]
}

function room({ config, processes, connectionLimit, poolTimeoutSeconds }: PoolReadings): PoolFinding[] {
  const findings: PoolFinding[] = []
  const most = Number(config.get('max_client_conn') ?? Number.NaN)
  if (processes !== undefined && processes * connectionLimit > most)
    findings.push({
      code: 'OUTGROW_POOL_CLIENTS',
      fact: `max_client_conn is ${most}, and ${processes} processes with connection_limit=${connectionLimit} open ${processes * connectionLimit}.`,
      why: 'The pooler refuses whoever comes after that. A deployment runs the old and the new processes side by side.',
      fix: `Set max_client_conn = ${2 * processes * connectionLimit + 10}, with as many file descriptors (LimitNOFILE).`,
    })
  const wait = Number(config.get('query_wait_timeout') ?? Number.NaN)
  if (wait === 0 || wait >= poolTimeoutSeconds)
    findings.push({
      code: 'OUTGROW_POOL_WAIT_TIMEOUT',
      fact: `query_wait_timeout is ${wait === 0 ? 'off' : `${wait} s`}, and the application gives up after ${poolTimeoutSeconds} s (pool_timeout).`,
      why: 'A statement would go on waiting for a server connection, and run, when nobody wants its answer any more.',
      fix: `Set query_wait_timeout below ${poolTimeoutSeconds}.`,
    })
  return findings
}

/** A tenth of a second: what a person notices. */
const longWaitMs = 100

/** Of fewer the average says nothing: the first ones wait for the server connections to be made. */
const leastTransactions = 1000

function waits({ pooler }: PoolReadings): PoolFinding[] {
  const waiting = (pooler.POOLS ?? []).filter(({ cl_waiting: count }) => Number(count ?? 0) > 0)
  const slow = (pooler.STATS ?? []).flatMap(({ database, ...row }) => {
    // Both are averages of a second: of microseconds that all waited together, and of transactions.
    const [waited, transactions] = [Number(row.avg_wait_time ?? 0), Number(row.avg_xact_count ?? 0)]
    const ms = transactions > 0 ? waited / transactions / 1000 : 0
    const isKnown = Number(row.total_xact_count ?? 0) >= leastTransactions
    return database === 'pgbouncer' || !isKnown || ms < longWaitMs ? [] : [{ database, ms }]
  })
  if (waiting.length === 0 && slow.length === 0) return []
  const now = waiting.map(
    ({ database, user, cl_waiting: count, maxwait = '0', maxwait_us: micro = '0' }) =>
      `${count} clients of ${user} wait for ${database}, the longest for ${(Number(maxwait) + Number(micro) / 1e6).toFixed(1)} s`,
  )
  const lately = slow.map(
    ({ database, ms }) => `a transaction in ${database} waited ${Math.round(ms)} ms on average`,
  )
  return [
    {
      code: 'OUTGROW_POOL_WAITING',
      fact: `${[...now, ...lately].join('; ')}.`,
      why: 'All server connections of the pool are taken: by more work than they can do, or by transactions that wait for something else.',
      fix: 'See outgrow doctor for slow statements and sessions that are idle in a transaction; then raise default_pool_size, if the server has cores to spare.',
    },
  ]
}

function zone({ timeZone }: PoolReadings): PoolFinding[] {
  if (timeZone === undefined || isUtc(timeZone)) return []
  return [
    {
      code: 'OUTGROW_POOL_TIMEZONE',
      fact: `Sessions through the pooler run in ${timeZone}.`,
      why: 'Prisma’s adapter reads and writes timestamps correctly only in UTC, and this pooler does not let a client ask for it.',
      fix: "ALTER ROLE … SET timezone = 'UTC' on the server; then RECONNECT in the pooler’s console, or restart it: open sessions keep theirs.",
    },
  ]
}
