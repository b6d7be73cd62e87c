import { toSeconds, type MetricGroup } from './family.ts'

/** What is known of the backups in one place. */
export interface BackupReading {
  /** Those that are whole. */
  count: number
  newest: { at: Date; sizeBytes: number } | null
  drill: { at: Date; isEqual: boolean; ms: number | null } | null
}

const families = [
  { name: 'outgrow_backups', type: 'gauge', help: 'Whole backups in the place where they are kept' },
  {
    name: 'outgrow_backup_timestamp_seconds',
    type: 'gauge',
    help: 'When the newest whole backup was made; absent where there is none',
  },
  { name: 'outgrow_backup_size_bytes', type: 'gauge', help: 'Size of the newest whole backup' },
  {
    name: 'outgrow_backup_drill_timestamp_seconds',
    type: 'gauge',
    help: 'When a backup was last restored and compared; absent where none was',
  },
  {
    name: 'outgrow_backup_drill_equal',
    type: 'gauge',
    help: 'Whether every table of the last drill was equal',
  },
  { name: 'outgrow_backup_drill_duration_seconds', type: 'gauge', help: 'How long the last drill took' },
] as const

/** @param read looks at the place where backups are kept */
export function backupsGroup(read: () => Promise<BackupReading>): MetricGroup {
  return {
    name: 'backups',
    families,
    read: async () => {
      const { count, newest, drill } = await read()
      return [
        { name: 'outgrow_backups', value: count },
        ...(newest
          ? [
              { name: 'outgrow_backup_timestamp_seconds', value: toSeconds(newest.at) },
              { name: 'outgrow_backup_size_bytes', value: newest.sizeBytes },
            ]
          : []),
        ...(drill
          ? [
              { name: 'outgrow_backup_drill_timestamp_seconds', value: toSeconds(drill.at) },
              { name: 'outgrow_backup_drill_equal', value: Number(drill.isEqual) },
            ]
          : []),
        ...(drill && drill.ms !== null
          ? [{ name: 'outgrow_backup_drill_duration_seconds', value: drill.ms / 1000 }]
          : []),
      ]
    },
  }
}
