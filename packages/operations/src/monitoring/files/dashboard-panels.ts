import { limits } from '../alerts/limits.ts'

export interface Panel {
  title: string
  /** Grafana's name of the unit. */
  unit: 's' | 'bytes' | 'short' | 'percentunit' | 'ops' | 'dateTimeFromNow' | 'bool_yes_no'
  /** One number of now, or lines over time. */
  kind: 'stat' | 'lines'
  queries: { expr: string; legend: string }[]
  /** Where the alert begins, in the unit. */
  limit?: number
}

const stat = (title: string, unit: Panel['unit'], expr: string, limit?: number): Panel => ({
  title,
  unit,
  kind: 'stat',
  queries: [{ expr, legend: '' }],
  ...(limit !== undefined && { limit }),
})

const lines = (
  title: string,
  unit: Panel['unit'],
  queries: Record<string, string>,
  limit?: number,
): Panel => ({
  title,
  unit,
  kind: 'lines',
  queries: Object.entries(queries).map(([legend, expr]) => ({ expr, legend })),
  ...(limit !== undefined && { limit }),
})

const quantile = (share: number, histogram: string) =>
  `histogram_quantile(${share}, sum by (job, le) (rate(${histogram}_bucket[5m])))`

/** The dashboard, row by row. */
export const dashboardRows: readonly { title: string; panels: readonly Panel[] }[] = [
  {
    title: 'At a glance',
    panels: [
      stat('Processes that answer', 'short', 'sum(up{job=~"outgrow-.*"})'),
      stat('Oldest pending event', 's', 'max(outgrow_inbox_oldest_pending_seconds)', limits.eventWaitSeconds),
      stat('Dead letters', 'short', 'sum(outgrow_inbox_events{status="DEAD"})', 1),
      stat(
        'Age of the newest backup',
        's',
        'time() - max(outgrow_backup_timestamp_seconds)',
        limits.backupSeconds,
      ),
      stat(
        'Age of the last drill',
        's',
        'time() - max(outgrow_backup_drill_timestamp_seconds)',
        limits.drillSeconds,
      ),
      stat('Alerts', 'short', 'count(ALERTS{alertstate="firing"}) or vector(0)', 1),
    ],
  },
  {
    title: 'Requests and operations',
    panels: [
      lines('Requests', 'ops', {
        '{{status}}': 'sum by (status) (rate(outgrow_http_request_duration_seconds_count[5m]))',
      }),
      lines('Time of a request', 's', {
        'p50 {{job}}': quantile(0.5, 'outgrow_http_request_duration_seconds'),
        'p99 {{job}}': quantile(0.99, 'outgrow_http_request_duration_seconds'),
      }),
      lines('Time of an operation of the database', 's', {
        'p50 {{job}}': quantile(0.5, 'outgrow_database_operation_duration_seconds'),
        'p99 {{job}}': quantile(0.99, 'outgrow_database_operation_duration_seconds'),
      }),
      lines('Operations that fail', 'ops', {
        '{{job}} {{code}}': 'sum by (job, code) (rate(outgrow_database_errors_total[5m]))',
      }),
      lines(
        'Wait for the write lock, or for a connection (p99)',
        's',
        { '{{job}}': quantile(0.99, 'outgrow_database_wait_seconds') },
        limits.lockWaitSeconds,
      ),
      lines('Interactive transactions (p99)', 's', {
        '{{job}}': quantile(0.99, 'outgrow_database_transaction_seconds'),
      }),
    ],
  },
  {
    title: 'Queues',
    panels: [
      lines('Events by status', 'short', { '{{status}}': 'sum by (status) (outgrow_inbox_events)' }),
      lines('Outbox by state', 'short', { '{{state}}': 'sum by (state) (outgrow_outbox_messages)' }),
      lines('Processed', 'ops', {
        '{{outcome}}': 'sum by (outcome) (rate(outgrow_worker_outcomes_total[5m]))',
      }),
    ],
  },
  {
    title: 'SQLite',
    panels: [
      lines('File and write-ahead log', 'bytes', {
        file: 'max(outgrow_sqlite_file_bytes)',
        log: 'max(outgrow_sqlite_wal_bytes)',
      }),
      lines(
        'Pages that wait for a checkpoint',
        'short',
        { pages: 'max(outgrow_sqlite_checkpoint_lag_pages)' },
        limits.checkpointLagPages,
      ),
      lines(
        'Share of the time with a write',
        'percentunit',
        { '{{job}}': 'sum by (job) (rate(outgrow_database_write_lock_seconds_sum[5m]))' },
        limits.writeDuty,
      ),
      lines('Busy errors', 'ops', {
        '{{job}} {{code}}': 'sum by (job, code) (rate(outgrow_database_busy_errors_total[5m]))',
      }),
    ],
  },
  {
    title: 'Postgres',
    panels: [
      lines(
        'Connections of the server',
        'percentunit',
        { used: 'max(outgrow_postgres_connections) / max(outgrow_postgres_connections_limit)' },
        limits.connectionsShare,
      ),
      lines('The processes’ own pools', 'short', {
        '{{job}} {{state}}': 'sum by (job, state) (outgrow_database_pool_connections)',
        '{{job}} waiting': 'sum by (job) (outgrow_database_pool_waiting)',
        '{{job}} limit': 'sum by (job) (outgrow_database_pool_connections_limit)',
      }),
      lines('Clients of pgbouncer', 'short', {
        '{{database}} {{state}}': 'sum by (database, state) (outgrow_pooler_clients)',
      }),
      lines('Connections of pgbouncer', 'short', {
        '{{database}} {{state}}': 'sum by (database, state) (outgrow_pooler_servers)',
      }),
      lines(
        'Longest wait in pgbouncer',
        's',
        { '{{database}}': 'max by (database) (outgrow_pooler_longest_wait_seconds)' },
        limits.connectionWaitSeconds,
      ),
      lines('Through pgbouncer', 'ops', {
        'transactions {{database}}': 'sum by (database) (rate(outgrow_pooler_transactions_total[5m]))',
        'queries {{database}}': 'sum by (database) (rate(outgrow_pooler_queries_total[5m]))',
      }),
      lines('Oldest transaction', 's', { oldest: 'max(outgrow_postgres_oldest_transaction_seconds)' }),
      lines('Standbys behind', 's', {
        '{{replica}}': 'max by (replica) (outgrow_postgres_replica_lag_seconds)',
      }),
      lines('Log kept for slots', 'bytes', {
        '{{slot}}': 'max by (slot) (outgrow_postgres_slot_retained_bytes)',
      }),
      lines('Archiving', 'ops', {
        archived: 'rate(outgrow_postgres_archived_files_total[5m])',
        failed: 'rate(outgrow_postgres_archive_failures_total[5m])',
      }),
      lines(
        'Transaction ids in use',
        'short',
        { age: 'max(outgrow_postgres_wraparound_age_transactions)' },
        limits.wraparoundAge,
      ),
      lines('Size and deadlocks', 'bytes', {
        size: 'max(outgrow_postgres_size_bytes)',
        deadlocks: 'increase(outgrow_postgres_deadlocks_total[1h])',
      }),
    ],
  },
  {
    title: 'Graduation',
    panels: [
      lines('State', 'short', { '{{state}}': 'max by (state) (outgrow_graduation_state) == 1' }),
      lines('Changes to apply', 'short', {
        waiting: 'max(outgrow_graduation_lag_changes)',
        'room in the log': 'max(outgrow_graduation_log_room_changes)',
      }),
      lines('Since the last comparison', 's', {
        seconds: 'time() - max(outgrow_graduation_verified_timestamp_seconds)',
      }),
      lines('Processes', 'short', {
        '{{state}}': 'sum by (state) (outgrow_graduation_processes)',
        '{{job}} follows': 'sum by (job) (outgrow_graduation_follows)',
      }),
    ],
  },
  {
    title: 'Machine and backups',
    panels: [
      lines('Free', 'percentunit', {
        '{{disk}}': 'min by (disk) (outgrow_disk_free_bytes / outgrow_disk_size_bytes)',
      }),
      lines('Size of the newest backup', 'bytes', { size: 'max(outgrow_backup_size_bytes)' }),
      lines('Time of the newest backup, and of the last drill', 's', {
        backup: 'max(outgrow_backup_duration_seconds)',
        drill: 'max(outgrow_backup_drill_duration_seconds)',
      }),
      lines('Backups that are not whole', 'short', { backups: 'max(outgrow_backups_not_whole)' }),
      lines('Last drill found all equal', 'bool_yes_no', { equal: 'min(outgrow_backup_drill_equal)' }),
      lines('Memory', 'bytes', {
        '{{job}} {{instance}}': 'process_resident_memory_bytes{job=~"outgrow-.*"}',
      }),
      lines(
        'Event loop delay (p99)',
        's',
        { '{{job}} {{instance}}': 'nodejs_eventloop_lag_p99_seconds{job=~"outgrow-.*"}' },
        limits.eventLoopSeconds,
      ),
      lines('Sources of metrics that cannot be read', 'short', {
        '{{job}} {{collector}}': 'outgrow_collector_up == 0',
      }),
    ],
  },
]
