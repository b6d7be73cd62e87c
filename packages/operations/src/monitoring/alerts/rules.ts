import { limits } from './limits.ts'

/** One alert, as Prometheus evaluates it. */
export interface AlertRule {
  alert: string
  expr: string
  /** How long it must be so, in Prometheus' notation. */
  for: string
  severity: 'critical' | 'warning'
  /** The fact, for whoever is woken. */
  summary: string
  /** What to do. */
  description: string
}

export const jobs = { worker: 'outgrow-worker', web: 'outgrow-web' } as const

/** The 99th percentile of waits of processes that use this database. */
function waits(provider: 'sqlite' | 'postgres'): string {
  return `histogram_quantile(0.99, sum by (job, instance, le) (rate(outgrow_database_wait_seconds_bucket[5m]))) and on (job, instance) outgrow_database_info{provider="${provider}"}`
}

/** All alerts, the processes' own first. */
export const alertRules: readonly AlertRule[] = [
  {
    alert: 'OutgrowWorkerDown',
    expr: `up{job="${jobs.worker}"} == 0 or absent(up{job="${jobs.worker}"})`,
    for: '1m',
    severity: 'critical',
    summary: 'The worker does not answer: nothing drains the inbox, and no mail is sent.',
    description: 'Look at its last output and start it. Events wait in the inbox meanwhile; none is lost.',
  },
  {
    alert: 'OutgrowWebDown',
    expr: `up{job="${jobs.web}"} == 0`,
    for: '1m',
    severity: 'critical',
    summary: 'The web app at {{ $labels.instance }} does not answer.',
    description: 'Look at its last output and start it.',
  },
  {
    alert: 'OutgrowDatabaseDown',
    expr: 'outgrow_collector_up{collector="database"} == 0',
    for: '1m',
    severity: 'critical',
    summary: 'The database does not answer {{ $labels.job }} at {{ $labels.instance }}.',
    description: 'Its log has the reason: metrics cannot be read, collector database.',
  },
  {
    alert: 'OutgrowCollectorFailing',
    expr: 'outgrow_collector_up{collector!="database"} == 0',
    for: '10m',
    severity: 'warning',
    summary: 'The metrics of {{ $labels.collector }} cannot be read: their alerts are blind.',
    description: 'The log of {{ $labels.job }} has the reason.',
  },
  {
    alert: 'OutgrowRequestsFailing',
    expr: `sum by (instance) (rate(outgrow_http_request_duration_seconds_count{status=~"5.."}[5m])) / sum by (instance) (rate(outgrow_http_request_duration_seconds_count[5m])) > ${limits.failedShareOfRequests}`,
    for: '5m',
    severity: 'critical',
    summary: '{{ $value | humanizePercentage }} of the requests to {{ $labels.instance }} fail.',
    description: 'The web app’s log has each one with its number and its error.',
  },
  {
    alert: 'OutgrowEventLoopBlocked',
    expr: `nodejs_eventloop_lag_p99_seconds >= ${limits.eventLoopSeconds}`,
    for: '5m',
    severity: 'warning',
    summary: 'The event loop of {{ $labels.job }} is blocked for {{ $value | humanizeDuration }} at a time.',
    description: 'Look for large reads and long loops, and run the worker in a process of its own.',
  },
  {
    alert: 'OutgrowEventsWaiting',
    expr: `outgrow_inbox_oldest_pending_seconds > ${limits.eventWaitSeconds}`,
    for: '1m',
    severity: 'critical',
    summary: 'The oldest pending event has been waiting for {{ $value | humanizeDuration }}.',
    description: 'outgrow billing status shows what waits; the worker’s log says why.',
  },
  {
    alert: 'OutgrowDeadLetters',
    expr: 'outgrow_inbox_events{status="DEAD"} > 0 or outgrow_outbox_messages{state="dead"} > 0',
    for: '1m',
    severity: 'warning',
    summary: '{{ $value }} events or messages were given up.',
    description: 'outgrow billing dead-letters lists them; outgrow billing replay tries them again.',
  },
  {
    alert: 'OutgrowCustomersNeedAttention',
    expr: 'outgrow_billing_attention > 0',
    for: '5m',
    severity: 'warning',
    summary: '{{ $value }} customers pay for nothing, or twice: {{ $labels.reason }}.',
    description: 'outgrow billing status names them and says what to do.',
  },
  {
    alert: 'OutgrowBackupAbsent',
    expr: 'absent(outgrow_backup_timestamp_seconds)',
    for: '10m',
    severity: 'critical',
    summary: 'There is no backup, or nobody knows where they are kept.',
    description: 'Make one with outgrow backup, and give the worker the place where they are kept.',
  },
  {
    alert: 'OutgrowBackupOld',
    expr: `time() - outgrow_backup_timestamp_seconds > ${limits.backupSeconds}`,
    for: '10m',
    severity: 'critical',
    summary: 'The newest backup is {{ $value | humanizeDuration }} old.',
    description:
      'Look at the last run of outgrow backup: its timer, its log, the room where backups are kept.',
  },
  {
    alert: 'OutgrowBackupNotWhole',
    expr: 'outgrow_backups_not_whole > 0',
    for: '10m',
    severity: 'warning',
    summary: '{{ $value }} backups cannot be restored: not all of their objects are there.',
    description: 'outgrow backup list names them.',
  },
  {
    alert: 'OutgrowDrillOld',
    expr: `time() - outgrow_backup_drill_timestamp_seconds > ${limits.drillSeconds} or absent(outgrow_backup_drill_timestamp_seconds)`,
    for: '10m',
    severity: 'warning',
    summary: 'No backup has been restored and compared for more than a week.',
    description: 'Run outgrow backup drill, and let a timer run it every week.',
  },
  {
    alert: 'OutgrowDrillFailed',
    expr: 'outgrow_backup_drill_equal == 0',
    for: '1m',
    severity: 'critical',
    summary: 'The last drill did not restore the backup whole.',
    description: 'outgrow backup list shows which; make a new backup and run outgrow backup drill again.',
  },
  {
    alert: 'OutgrowDiskFilling',
    expr: `outgrow_disk_free_bytes / outgrow_disk_size_bytes < ${limits.freeShareOfDisk}`,
    for: '5m',
    severity: 'critical',
    summary: 'Only {{ $value | humanizePercentage }} of the {{ $labels.disk }} disk is free.',
    description: 'Free some room: old runs in the work folder, backups kept beside the database, logs.',
  },
  {
    alert: 'OutgrowLockWaits',
    expr: `(${waits('sqlite')}) >= ${limits.lockWaitSeconds}`,
    for: '5m',
    severity: 'warning',
    summary: 'Writes wait {{ $value | humanizeDuration }} for the lock of the file (p99).',
    description:
      'Shorten transactions. If it persists, outgrow inspect says how long a move to Postgres takes.',
  },
  {
    alert: 'OutgrowWriteDuty',
    expr: `sum(rate(outgrow_database_write_lock_seconds_sum[5m])) >= ${limits.writeDuty}`,
    for: '10m',
    severity: 'warning',
    summary: 'Something writes to the file {{ $value | humanizePercentage }} of the time.',
    description: 'Shorten transactions and batch small writes. outgrow doctor says more.',
  },
  {
    alert: 'OutgrowBusyErrors',
    expr: `sum by (job, instance) (rate(outgrow_database_busy_errors_total[5m])) * 60 >= ${limits.busyErrorsPerMinute}`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.job }} finds the file locked {{ $value | humanize }} times a minute.',
    description: 'Let one process write. outgrow doctor says who holds the lock.',
  },
  {
    alert: 'OutgrowWalGrowing',
    expr: `outgrow_sqlite_checkpoint_lag_pages >= ${limits.checkpointLagPages}`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $value }} pages wait in the write-ahead log: a reader keeps it from being checkpointed.',
    description: 'outgrow doctor names the process that reads; end its transaction.',
  },
  {
    alert: 'OutgrowFileLarge',
    expr: `outgrow_sqlite_file_bytes >= ${limits.fileBytes} or (outgrow_sqlite_file_bytes >= ${limits.watchedFileBytes} and predict_linear(outgrow_sqlite_file_bytes[1d], ${limits.fileSoonSeconds}) >= ${limits.fileBytes})`,
    for: '1h',
    severity: 'warning',
    summary: 'The SQLite file has {{ $value | humanize1024 }}B: 1 GB is reached, or will be within a month.',
    description: 'Plan the move: outgrow inspect says what is in its way and how long it takes.',
  },
  {
    alert: 'OutgrowConnectionsHigh',
    expr: `outgrow_postgres_connections / outgrow_postgres_connections_limit >= ${limits.connectionsShare}`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $value | humanizePercentage }} of the server’s connections are in use.',
    description: 'Put pgbouncer in front of it, or lower connection_limit in each process’ URL.',
  },
  {
    alert: 'OutgrowConnectionWaits',
    expr: `(${waits('postgres')}) >= ${limits.connectionWaitSeconds}`,
    for: '5m',
    severity: 'warning',
    summary: 'Transactions of {{ $labels.job }} wait {{ $value | humanizeDuration }} for a connection (p99).',
    description: 'Raise connection_limit in its URL, and shorten transactions.',
  },
  {
    alert: 'OutgrowOwnPoolWaiting',
    expr: 'outgrow_database_pool_waiting > 0',
    for: '1m',
    severity: 'warning',
    summary: '{{ $value }} callers of {{ $labels.job }} have been waiting for a connection for a minute.',
    description: 'Look for long transactions first; then raise connection_limit in its URL.',
  },
  {
    alert: 'OutgrowPoolWaiting',
    expr: `outgrow_pooler_longest_wait_seconds >= ${limits.connectionWaitSeconds}`,
    for: '1m',
    severity: 'warning',
    summary:
      'Clients of {{ $labels.database }} have been waiting {{ $value | humanizeDuration }} in pgbouncer.',
    description:
      'Look for long transactions first; then raise default_pool_size within what the server takes.',
  },
  {
    alert: 'OutgrowOldTransaction',
    expr: `outgrow_postgres_oldest_transaction_seconds >= ${limits.oldestTransactionSeconds}`,
    for: '5m',
    severity: 'warning',
    summary: 'A transaction has been open for {{ $value | humanizeDuration }}: no dead row since is removed.',
    description:
      'SELECT pid, state, query FROM pg_stat_activity ORDER BY xact_start; then pg_terminate_backend(pid).',
  },
  {
    alert: 'OutgrowWraparoundNear',
    expr: `outgrow_postgres_wraparound_age_transactions >= ${limits.wraparoundAge}`,
    for: '5m',
    severity: 'critical',
    summary: '{{ $value | humanize }} transaction ids are in use; at 2.1 G the server takes no more writes.',
    description:
      'Find what keeps VACUUM from freezing: an old transaction, an unused replication slot, a prepared transaction.',
  },
  {
    alert: 'OutgrowArchivingFailing',
    expr: 'outgrow_postgres_archive_failing == 1',
    for: '5m',
    severity: 'critical',
    summary:
      'The write-ahead log cannot be archived: it grows on the disk, and restores end where it stopped.',
    description: 'The server’s log says why archive_command fails; of one that hangs, look at the process.',
  },
  {
    alert: 'OutgrowReplicaBehind',
    expr: `outgrow_postgres_replica_lag_seconds >= ${limits.replicaLagSeconds}`,
    for: '1m',
    severity: 'warning',
    summary: 'The standby {{ $labels.replica }} is {{ $value | humanizeDuration }} behind.',
    description: 'Look for long reads on it and for its disk.',
  },
  {
    alert: 'OutgrowReplicaGone',
    expr: 'outgrow_postgres_slot_active == 0',
    for: '5m',
    severity: 'critical',
    summary: 'Nobody reads from the replication slot {{ $labels.slot }}: the server keeps its log for it.',
    description: 'Bring its standby back, or drop the slot before the disk is full.',
  },
  {
    alert: 'OutgrowProcessElsewhere',
    expr: 'outgrow_graduation_follows == 0',
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.job }} at {{ $labels.instance }} does not use the database that has the rows.',
    description: 'outgrow graduate status says why it cannot follow; its operations fail meanwhile.',
  },
  {
    alert: 'OutgrowGraduationBehind',
    expr: `outgrow_graduation_lag_seconds > ${limits.graduationLagSeconds}`,
    for: '5m',
    severity: 'warning',
    summary: 'Changes have been waiting for {{ $value | humanizeDuration }} to be applied.',
    description:
      'outgrow graduate status says whether something still follows; outgrow graduate continues it.',
  },
  {
    alert: 'OutgrowGraduationOverflowed',
    expr: 'outgrow_graduation_overflowed == 1',
    for: '1m',
    severity: 'critical',
    summary: 'The log of changes was full, and changes were not logged.',
    description: 'outgrow graduate status says whether to begin again, or that there is no way back.',
  },
  {
    alert: 'OutgrowGraduationUnequal',
    expr: 'outgrow_graduation_verified_equal == 0',
    for: '1m',
    severity: 'critical',
    summary: 'Both sides of the graduation were not equal when they were last compared.',
    description: 'outgrow graduate status names the tables. Do not switch before they are equal.',
  },
]
