import type { DatabaseCounters } from '@outgrow/databases'
import { byLabel, histogramSamples, type MetricGroup } from './family.ts'

/** The part of the client's `Database` that is measured. */
export interface MeasuredDatabase {
  readonly provider: 'sqlite' | 'postgres'
  readonly url: string
  counters(): DatabaseCounters
}

const families = [
  {
    name: 'outgrow_database_info',
    type: 'gauge',
    help: 'The database that the process uses now, by provider; always 1',
  },
  {
    name: 'outgrow_database_operation_duration_seconds',
    type: 'histogram',
    help: 'Operations of the client, from the call to the answer, waits included',
  },
  {
    name: 'outgrow_database_wait_seconds',
    type: 'histogram',
    help: 'Waits for the write lock (SQLite), or for a pooled connection and BEGIN (Postgres)',
  },
  {
    name: 'outgrow_database_transaction_seconds',
    type: 'histogram',
    help: 'Interactive transactions, from begin to end',
  },
  {
    name: 'outgrow_database_write_lock_seconds',
    type: 'histogram',
    help: 'Times for which the process held the write lock (SQLite)',
  },
  {
    name: 'outgrow_database_errors_total',
    type: 'counter',
    help: 'Operations of the client that failed, by code',
  },
  {
    name: 'outgrow_database_busy_errors_total',
    type: 'counter',
    help: 'Attempts that found another process writing (SQLite), by code; those that succeeded after a wait included',
  },
  {
    name: 'outgrow_database_pool_connections',
    type: 'gauge',
    help: 'Connections of the process’ own pool (Postgres), by state',
  },
  {
    name: 'outgrow_database_pool_connections_limit',
    type: 'gauge',
    help: 'The most connections that the process’ own pool opens (Postgres)',
  },
  {
    name: 'outgrow_database_pool_waiting',
    type: 'gauge',
    help: 'Callers that wait for a connection of the process’ own pool now (Postgres)',
  },
] as const

/** What the client has counted since it was opened. */
export function databaseGroup(database: MeasuredDatabase): MetricGroup {
  return {
    name: 'client',
    families,
    read: () => {
      const { operations, waits, transactions, writes, errorsByCode, busyByCode, pool } = database.counters()
      return [
        { name: 'outgrow_database_info', labels: { provider: database.provider }, value: 1 },
        ...histogramSamples('outgrow_database_operation_duration_seconds', operations),
        ...histogramSamples('outgrow_database_wait_seconds', waits),
        ...histogramSamples('outgrow_database_transaction_seconds', transactions),
        ...histogramSamples('outgrow_database_write_lock_seconds', writes),
        ...byLabel('outgrow_database_errors_total', 'code', errorsByCode),
        // There from the beginning: the rate of what appears with its first value misses that one.
        ...byLabel('outgrow_database_busy_errors_total', 'code', { SQLITE_BUSY: 0, ...busyByCode }),
        ...(pool === null
          ? []
          : [
              ...byLabel('outgrow_database_pool_connections', 'state', {
                idle: pool.idle,
                used: pool.open - pool.idle,
              }),
              { name: 'outgrow_database_pool_connections_limit', value: pool.limit },
              { name: 'outgrow_database_pool_waiting', value: pool.waiting },
            ]),
      ]
    },
  }
}

/** Whether the database answers a statement of the client. */
export function pingGroup(ping: () => PromiseLike<unknown>): MetricGroup {
  return {
    name: 'database',
    families: [],
    read: async () => {
      await ping()
      return []
    },
  }
}
