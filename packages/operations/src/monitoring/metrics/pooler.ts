import { withConsole, type ConsoleRow } from '../../pool/check/pooler-readings.ts'
import type { MetricGroup, Sample } from './family.ts'

const families = [
  {
    name: 'outgrow_pooler_clients',
    type: 'gauge',
    help: 'Clients of the pooler, by database, user and state',
  },
  {
    name: 'outgrow_pooler_servers',
    type: 'gauge',
    help: 'Connections of the pooler to the server, by database, user and state',
  },
  {
    name: 'outgrow_pooler_longest_wait_seconds',
    type: 'gauge',
    help: 'How long the first client in the pooler’s queue has been waiting, by database and user',
  },
  {
    name: 'outgrow_pooler_wait_seconds_total',
    type: 'counter',
    help: 'Time that clients of the pooler have waited for a server, by database',
  },
  {
    name: 'outgrow_pooler_transactions_total',
    type: 'counter',
    help: 'Transactions that went through the pooler, by database',
  },
  {
    name: 'outgrow_pooler_queries_total',
    type: 'counter',
    help: 'Queries that went through the pooler, by database',
  },
] as const

/** pgbouncer's own database, which is its console. */
const ownDatabase = 'pgbouncer'

/** What pgbouncer reports. Columns are read by name: what a version does not have is absent. */
export function poolerGroup(url: string): MetricGroup {
  return {
    name: 'pooler',
    families,
    read: () =>
      withConsole(url, async (show) => {
        const [pools, stats] = [await show('POOLS'), await show('STATS')]
        if (!pools || !stats)
          throw new Error('the user may not look at POOLS and STATS: name it in stats_users')
        return [
          ...pools.filter(isOfAnApplication).flatMap(poolSamples),
          ...stats.filter(isOfAnApplication).flatMap(statSamples),
        ]
      }),
  }
}

function isOfAnApplication({ database }: ConsoleRow): boolean {
  return database !== ownDatabase
}

function poolSamples(row: ConsoleRow): Sample[] {
  const labels = { database: String(row.database), user: String(row.user) }
  const states = (name: string, columns: Record<string, string>) =>
    Object.entries(columns).flatMap(([state, column]) =>
      samplesOf(name, { ...labels, state }, numberOf(row[column])),
    )
  const seconds = numberOf(row.maxwait)
  const microseconds = numberOf(row.maxwait_us) ?? 0
  return [
    ...states('outgrow_pooler_clients', { active: 'cl_active', waiting: 'cl_waiting' }),
    ...states('outgrow_pooler_servers', {
      active: 'sv_active',
      idle: 'sv_idle',
      used: 'sv_used',
      tested: 'sv_tested',
      login: 'sv_login',
    }),
    ...samplesOf(
      'outgrow_pooler_longest_wait_seconds',
      labels,
      seconds === undefined ? undefined : seconds + microseconds / 1e6,
    ),
  ]
}

function statSamples(row: ConsoleRow): Sample[] {
  const labels = { database: String(row.database) }
  const microseconds = numberOf(row.total_wait_time)
  return [
    ...samplesOf(
      'outgrow_pooler_wait_seconds_total',
      labels,
      microseconds === undefined ? undefined : microseconds / 1e6,
    ),
    ...samplesOf('outgrow_pooler_transactions_total', labels, numberOf(row.total_xact_count)),
    ...samplesOf('outgrow_pooler_queries_total', labels, numberOf(row.total_query_count)),
  ]
}

function samplesOf(name: string, labels: Record<string, string>, value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ name, labels, value }]
}

function numberOf(value: string | undefined): number | undefined {
  const number = value === undefined || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}
