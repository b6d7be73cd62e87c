import { withPostgres } from '@outgrow/databases'

/** What a server tells of its archiving. */
export interface ArchiveReadings {
  archiveMode: string
  archiveCommand: string
  walLevel: string
  maxWalSenders: number
  /** Settings that were changed, and wait for a restart. */
  pendingRestart: string[]
  isReplica: boolean
  lastArchived: string | null
  lastArchivedAt: Date | null
  lastFailed: string | null
  lastFailedAt: Date | null
  /** Files of WAL that wait to be archived; null when the role may not see. */
  waiting: { count: number; oldestAt: Date | null } | null
  dataDirectory: string
  /** Of the cluster: the same number is in its `global/pg_control`. */
  systemIdentifier: string
  now: Date
}

/** @throws Failure OUTGROW_POSTGRES_UNREACHABLE */
export function readArchiving(url: string): Promise<ArchiveReadings> {
  return withPostgres(url, async (client) => {
    const { rows } = await client.query<Omit<ArchiveReadings, 'waiting'>>(`SELECT
      current_setting('archive_mode') AS "archiveMode", current_setting('archive_command') AS "archiveCommand",
      current_setting('wal_level') AS "walLevel", current_setting('max_wal_senders')::int AS "maxWalSenders",
      current_setting('data_directory') AS "dataDirectory",
      ARRAY(SELECT name::text FROM pg_settings WHERE pending_restart) AS "pendingRestart",
      pg_is_in_recovery() AS "isReplica", last_archived_wal AS "lastArchived", last_archived_time AS "lastArchivedAt",
      last_failed_wal AS "lastFailed", last_failed_time AS "lastFailedAt", now() AS now,
      (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier"
      FROM pg_stat_archiver`)
    const { rows: waiting } = await client
      .query<{ count: number; oldestAt: Date | null }>(
        `SELECT count(*)::int, min(modification) AS "oldestAt" FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'`,
      )
      .catch(() => ({ rows: [] }))
    return { ...(rows[0] as ArchiveReadings), waiting: waiting[0] ?? null }
  })
}
