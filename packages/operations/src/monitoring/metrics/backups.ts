import type { BackupStates } from '../../backup/catalog/backup-states.ts'
import type { MeasuredDatabase } from './database.ts'
import { toSeconds, type MetricGroup, type Sample } from './family.ts'
import { refreshing } from './refreshing.ts'

/** A storage is asked again after this time: buckets want money for each question. */
const refreshMs = 5 * 60_000

const families = [
  {
    name: 'outgrow_backup_timestamp_seconds',
    type: 'gauge',
    help: 'When the state of the newest whole backup was taken, or WAL was last archived that continues it; absent where there is none',
  },
  {
    name: 'outgrow_backup_size_bytes',
    type: 'gauge',
    help: 'What the newest whole backup takes in its storage',
  },
  { name: 'outgrow_backup_duration_seconds', type: 'gauge', help: 'How long the newest whole backup took' },
  { name: 'outgrow_backups_not_whole', type: 'gauge', help: 'Backups whose objects are not all there' },
  {
    name: 'outgrow_backup_drill_timestamp_seconds',
    type: 'gauge',
    help: 'When a backup was last restored and compared; absent where none was',
  },
  {
    name: 'outgrow_backup_drill_equal',
    type: 'gauge',
    help: 'Whether the last drill found every table equal',
  },
  { name: 'outgrow_backup_drill_duration_seconds', type: 'gauge', help: 'How long the last drill took' },
] as const

/**
 * The backups of the database that is used now: one of the SQLite file is none of the Postgres that came after it.
 * @param location as `outgrow backup --to` takes it
 */
export function backupsGroup(location: string, database: MeasuredDatabase): MetricGroup {
  const samplesOf = (provider: MeasuredDatabase['provider']) =>
    refreshing(async () => {
      const [{ backupStates }, { openStorage }] = await Promise.all([
        import('../../backup/catalog/backup-states.ts'),
        import('../../backup/storage/open-storage.ts'),
      ])
      const now = new Date()
      return stateSamples(await backupStates(await openStorage(location), { provider, now }), now)
    }, refreshMs)
  const samples = { sqlite: samplesOf('sqlite'), postgres: samplesOf('postgres') }
  return { name: 'backups', families, read: () => samples[database.provider]() }
}

function stateSamples({ newest, drill, notWhole }: BackupStates, now: Date): Sample[] {
  return [
    { name: 'outgrow_backups_not_whole', value: notWhole },
    ...(newest
      ? [
          { name: 'outgrow_backup_timestamp_seconds', value: now.getTime() / 1000 - newest.ageSeconds },
          { name: 'outgrow_backup_size_bytes', value: newest.storedBytes },
          { name: 'outgrow_backup_duration_seconds', value: newest.durationSeconds },
        ]
      : []),
    ...(drill
      ? [
          { name: 'outgrow_backup_drill_timestamp_seconds', value: toSeconds(drill.at) },
          { name: 'outgrow_backup_drill_equal', value: Number(drill.ok) },
          { name: 'outgrow_backup_drill_duration_seconds', value: drill.seconds },
        ]
      : []),
  ]
}
