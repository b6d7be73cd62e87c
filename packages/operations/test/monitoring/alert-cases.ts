/** Series as promtool writes them: a value, then how it goes on. */
type Series = Record<string, string>

export interface AlertCase {
  alert: string
  fires: Series
  /** What comes closest without being one. */
  isSilent: Series
  /** When it is looked at, in promtool's notation. */
  at: string
}

const worker = 'up{job="outgrow-worker", instance="w"}'
const constant = (value: number) => `${value}x400`
const day = 86_400
/** promtool's time begins at 0: an age is that of something before the beginning. */
const made = (secondsAgo: number) => constant(-secondsAgo)

/** All waits took so many seconds, as a histogram of one process. */
function waited(provider: string, seconds: number): Series {
  const labels = 'job="outgrow-web", instance="a"'
  const bucket = (le: string) => `outgrow_database_wait_seconds_bucket{${labels}, le="${le}"}`
  const below = (le: number) => (seconds < le ? '0+60x400' : '0x400')
  return {
    [bucket('0.256')]: below(0.256),
    [bucket('0.512')]: below(0.512),
    [bucket('1.024')]: below(1.024),
    [bucket('+Inf')]: '0+60x400',
    [`outgrow_database_info{${labels}, provider="${provider}"}`]: constant(1),
  }
}

const gauge = (name: string, alert: string, fires: number, isSilent: number, at = '20m'): AlertCase => ({
  alert,
  fires: { [name]: constant(fires) },
  isSilent: { [name]: constant(isSilent) },
  at,
})

/** Each rule: when it fires, and what it must not fire for. */
export const alertCases: readonly AlertCase[] = [
  {
    alert: 'OutgrowWorkerDown',
    fires: { [worker]: constant(0) },
    isSilent: { [worker]: constant(1), 'up{job="outgrow-web"}': constant(0) },
    at: '5m',
  },
  { alert: 'OutgrowWorkerDown', fires: {}, isSilent: { [worker]: constant(1) }, at: '5m' },
  {
    alert: 'OutgrowWebDown',
    fires: {
      'up{job="outgrow-web", instance="a"}': constant(0),
      'up{job="outgrow-web", instance="b"}': constant(1),
    },
    isSilent: { 'up{job="outgrow-web", instance="a"}': '1 0 1x398', [worker]: constant(0) },
    at: '5m',
  },
  gauge('outgrow_collector_up{collector="database"}', 'OutgrowDatabaseDown', 0, 1),
  {
    alert: 'OutgrowCollectorFailing',
    fires: { 'outgrow_collector_up{collector="pooler"}': constant(0) },
    isSilent: { 'outgrow_collector_up{collector="database"}': constant(0) },
    at: '20m',
  },
  {
    alert: 'OutgrowRequestsFailing',
    fires: {
      'outgrow_http_request_duration_seconds_count{instance="a", method="GET", status="200"}': '0+90x400',
      'outgrow_http_request_duration_seconds_count{instance="a", method="GET", status="503"}': '0+10x400',
    },
    isSilent: {
      'outgrow_http_request_duration_seconds_count{instance="a", method="GET", status="404"}': '0+90x400',
      'outgrow_http_request_duration_seconds_count{instance="a", method="GET", status="500"}': '0+4x400',
    },
    at: '20m',
  },
  gauge('nodejs_eventloop_lag_p99_seconds{job="outgrow-web"}', 'OutgrowEventLoopBlocked', 0.2, 0.19),
  gauge('outgrow_inbox_oldest_pending_seconds', 'OutgrowEventsWaiting', 301, 300),
  {
    alert: 'OutgrowDeadLetters',
    fires: { 'outgrow_inbox_events{status="DEAD"}': constant(1) },
    isSilent: {
      'outgrow_inbox_events{status="DEAD"}': constant(0),
      'outgrow_inbox_events{status="FAILED"}': constant(7),
      'outgrow_outbox_messages{state="dead"}': constant(0),
    },
    at: '5m',
  },
  gauge('outgrow_outbox_messages{state="dead"}', 'OutgrowDeadLetters', 1, 0),
  gauge('outgrow_billing_attention{reason="unlinked_payer"}', 'OutgrowCustomersNeedAttention', 1, 0),
  {
    alert: 'OutgrowBackupAbsent',
    fires: { outgrow_backups_not_whole: constant(0) },
    isSilent: { outgrow_backup_timestamp_seconds: made(0) },
    at: '20m',
  },
  {
    alert: 'OutgrowBackupOld',
    fires: { outgrow_backup_timestamp_seconds: made(26 * 3600) },
    isSilent: { outgrow_backup_timestamp_seconds: made(25 * 3600) },
    at: '20m',
  },
  gauge('outgrow_backups_not_whole', 'OutgrowBackupNotWhole', 1, 0),
  {
    alert: 'OutgrowDrillOld',
    fires: { outgrow_backup_drill_timestamp_seconds: made(8 * day) },
    isSilent: { outgrow_backup_drill_timestamp_seconds: made(7 * day) },
    at: '20m',
  },
  {
    alert: 'OutgrowDrillOld',
    fires: {},
    isSilent: { outgrow_backup_drill_timestamp_seconds: made(0) },
    at: '20m',
  },
  gauge('outgrow_backup_drill_equal', 'OutgrowDrillFailed', 0, 1),
  {
    alert: 'OutgrowDiskFilling',
    fires: {
      'outgrow_disk_free_bytes{disk="work"}': constant(9),
      'outgrow_disk_size_bytes{disk="work"}': constant(100),
    },
    isSilent: {
      'outgrow_disk_free_bytes{disk="work"}': constant(10),
      'outgrow_disk_size_bytes{disk="work"}': constant(100),
    },
    at: '20m',
  },
  {
    alert: 'OutgrowLockWaits',
    fires: waited('sqlite', 1),
    isSilent: { ...waited('postgres', 1), ...waited('sqlite', 0.1) },
    at: '20m',
  },
  {
    alert: 'OutgrowWriteDuty',
    fires: {
      'outgrow_database_write_lock_seconds_sum{job="outgrow-web"}': '0+18x400',
      'outgrow_database_write_lock_seconds_sum{job="outgrow-worker"}': '0+15x400',
    },
    isSilent: { 'outgrow_database_write_lock_seconds_sum{job="outgrow-web"}': '0+28x400' },
    at: '20m',
  },
  {
    alert: 'OutgrowBusyErrors',
    fires: { 'outgrow_database_busy_errors_total{job="outgrow-web", code="SQLITE_BUSY"}': '0+600x400' },
    isSilent: { 'outgrow_database_busy_errors_total{job="outgrow-web", code="SQLITE_BUSY"}': '0+590x400' },
    at: '20m',
  },
  gauge('outgrow_sqlite_checkpoint_lag_pages', 'OutgrowWalGrowing', 25_000, 24_999),
  gauge('outgrow_sqlite_file_bytes', 'OutgrowFileLarge', 1e9, 999_999_999, '3h'),
  {
    alert: 'OutgrowFileLarge',
    // 20 MB a day: a month makes it 1.1 GB.
    fires: { outgrow_sqlite_file_bytes: '500000000+13889x400' },
    isSilent: { outgrow_sqlite_file_bytes: '500000000+9000x400' },
    at: '3h',
  },
  {
    alert: 'OutgrowConnectionsHigh',
    fires: { outgrow_postgres_connections: constant(80), outgrow_postgres_connections_limit: constant(100) },
    isSilent: {
      outgrow_postgres_connections: constant(79),
      outgrow_postgres_connections_limit: constant(100),
    },
    at: '20m',
  },
  {
    alert: 'OutgrowConnectionWaits',
    fires: waited('postgres', 1),
    isSilent: { ...waited('sqlite', 1), ...waited('postgres', 0.1) },
    at: '20m',
  },
  gauge('outgrow_database_pool_waiting{job="outgrow-web"}', 'OutgrowOwnPoolWaiting', 1, 0),
  gauge('outgrow_pooler_longest_wait_seconds{database="app", user="app"}', 'OutgrowPoolWaiting', 0.5, 0.4),
  gauge('outgrow_postgres_oldest_transaction_seconds', 'OutgrowOldTransaction', 3600, 3599),
  gauge('outgrow_postgres_wraparound_age_transactions', 'OutgrowWraparoundNear', 1.2e9, 1.1e9),
  gauge('outgrow_postgres_archive_failing', 'OutgrowArchivingFailing', 1, 0),
  gauge('outgrow_postgres_replica_lag_seconds{replica="b"}', 'OutgrowReplicaBehind', 60, 59),
  gauge('outgrow_postgres_slot_active{slot="b"}', 'OutgrowReplicaGone', 0, 1),
  gauge('outgrow_graduation_follows{job="outgrow-web"}', 'OutgrowProcessElsewhere', 0, 1),
  gauge('outgrow_graduation_lag_seconds', 'OutgrowGraduationBehind', 61, 60),
  gauge('outgrow_graduation_overflowed', 'OutgrowGraduationOverflowed', 1, 0),
  gauge('outgrow_graduation_verified_equal', 'OutgrowGraduationUnequal', 0, 1),
]
