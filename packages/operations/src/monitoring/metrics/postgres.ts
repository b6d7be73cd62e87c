import { postgresEssentials } from '@outgrow/signs'
import type { MeasuredDatabase } from './database.ts'
import type { MetricGroup } from './family.ts'

const families = [
  { name: 'outgrow_postgres_size_bytes', type: 'gauge', help: 'Size of the database' },
  { name: 'outgrow_postgres_connections', type: 'gauge', help: 'Connections in use, of the whole server' },
  {
    name: 'outgrow_postgres_connections_limit',
    type: 'gauge',
    help: 'Connections that the server accepts from those who are not superusers',
  },
  {
    name: 'outgrow_postgres_oldest_transaction_seconds',
    type: 'gauge',
    help: 'How long the oldest open transaction has been open; absent where the role may not see it',
  },
  {
    name: 'outgrow_postgres_wraparound_age_transactions',
    type: 'gauge',
    help: 'Transactions since the oldest row that is not frozen',
  },
  { name: 'outgrow_postgres_deadlocks_total', type: 'counter', help: 'Deadlocks of the database' },
  {
    name: 'outgrow_postgres_archived_files_total',
    type: 'counter',
    help: 'Files of the write-ahead log that were archived',
  },
  {
    name: 'outgrow_postgres_archive_failures_total',
    type: 'counter',
    help: 'Attempts to archive a file of the write-ahead log that failed',
  },
  {
    name: 'outgrow_postgres_archive_failing',
    type: 'gauge',
    help: 'Whether the latest attempt to archive the write-ahead log failed, or it hangs: files wait, and none was archived for ten minutes',
  },
  {
    name: 'outgrow_postgres_replica_lag_seconds',
    type: 'gauge',
    help: 'How far a standby’s replay is behind in time, by replica',
  },
  {
    name: 'outgrow_postgres_replica_lag_bytes',
    type: 'gauge',
    help: 'How much of the write-ahead log a standby has not replayed, by replica',
  },
  {
    name: 'outgrow_postgres_slot_active',
    type: 'gauge',
    help: 'Whether somebody reads from a replication slot, by slot',
  },
  {
    name: 'outgrow_postgres_slot_retained_bytes',
    type: 'gauge',
    help: 'How much of the write-ahead log a replication slot keeps, by slot',
  },
] as const

/** What the server of an application that uses Postgres now reports of itself. */
export function postgresGroup(database: MeasuredDatabase): MetricGroup {
  return {
    name: 'postgres',
    families,
    read: async () => {
      if (database.provider !== 'postgres') return undefined
      const read = await postgresEssentials(database.url)
      const { connections, archiver, replicas, slots, oldestTransactionMs } = read
      return [
        { name: 'outgrow_postgres_size_bytes', value: read.sizeBytes },
        { name: 'outgrow_postgres_connections', value: connections.used },
        { name: 'outgrow_postgres_connections_limit', value: connections.limit },
        ...(oldestTransactionMs === null
          ? []
          : [{ name: 'outgrow_postgres_oldest_transaction_seconds', value: oldestTransactionMs / 1000 }]),
        { name: 'outgrow_postgres_wraparound_age_transactions', value: read.wraparoundAge },
        { name: 'outgrow_postgres_deadlocks_total', value: read.deadlocks },
        { name: 'outgrow_postgres_archived_files_total', value: archiver.archived },
        { name: 'outgrow_postgres_archive_failures_total', value: archiver.failed },
        { name: 'outgrow_postgres_archive_failing', value: Number(archiver.isFailing || archiver.isBehind) },
        ...(replicas ?? []).flatMap(({ name: replica, lagMs, lagBytes }) => [
          { name: 'outgrow_postgres_replica_lag_seconds', labels: { replica }, value: lagMs / 1000 },
          { name: 'outgrow_postgres_replica_lag_bytes', labels: { replica }, value: lagBytes },
        ]),
        ...slots.flatMap(({ name: slot, isActive, retainedBytes }) => [
          { name: 'outgrow_postgres_slot_active', labels: { slot }, value: Number(isActive) },
          { name: 'outgrow_postgres_slot_retained_bytes', labels: { slot }, value: retainedBytes },
        ]),
      ]
    },
  }
}
