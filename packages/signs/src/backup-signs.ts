import { judged, type Sign, type Threshold } from './level.ts'

/** When backups and drills are too old. Alerts take their limits from here. */
export const backupThresholds = {
  backup: { watch: 26, plan: 50, unit: 'hours', source: 'a daily backup, and two hours for it to be late' },
  drill: {
    watch: 8 * 24,
    plan: 15 * 24,
    unit: 'hours',
    source: 'a weekly drill, and a day for it to be late; a backup that was never restored may not restore',
  },
} satisfies Record<string, Threshold>

/** What is known of a database's backups, or why nothing is. */
export type BackupReading =
  | {
      /** Where they are, without secrets. */
      location: string
      newest: { ageSeconds: number } | null
      /** The last of all drills. */
      drill: { ageSeconds: number; ok: boolean } | null
    }
  /** A storage that cannot be read. */
  | { location: string; problem: string }
  /** Nobody has said where they are. */
  | { reason: string }

/**
 * Signs of backups: absent, too old, never restored for a try. A storage that cannot be read takes no backups either. What
 * nobody has configured is unknown, which is not fine.
 */
export function backupSigns(reading: BackupReading): Sign[] {
  if ('reason' in reading) return [backupSign(null, reading.reason, ''), drillSign(null, reading.reason, '')]
  if ('problem' in reading) {
    const advice = `Make ${reading.location} readable from here, and run outgrow backup.`
    return [backupSign(Infinity, reading.problem, advice), drillSign(null, 'the storage cannot be read', '')]
  }
  return [newestSign(reading), lastDrillSign(reading)]
}

type Known = Extract<BackupReading, { newest: unknown }>

function backupSign(value: number | null, text: string, advice: string): Sign {
  return judged('backup', backupThresholds.backup, { title: 'Backup', value, text, advice })
}

function drillSign(value: number | null, text: string, advice: string): Sign {
  return judged('drill', backupThresholds.drill, { title: 'Backup drill', value, text, advice })
}

function newestSign({ location, newest }: Known): Sign {
  return backupSign(
    newest ? newest.ageSeconds / 3600 : Infinity,
    newest ? `the newest is ${age(newest.ageSeconds)} old` : `there is none in ${location}`,
    `Run outgrow backup --to ${location} now, and every day by a timer; read what its last run printed.`,
  )
}

function lastDrillSign({ location, drill }: Known): Sign {
  if (drill?.ok === false) {
    const advice = `Make another backup with outgrow backup --to ${location}, and try it with outgrow backup drill.`
    return drillSign(Infinity, `the last one FAILED, ${age(drill.ageSeconds)} ago`, advice)
  }
  return drillSign(
    drill ? drill.ageSeconds / 3600 : Infinity,
    drill ? `the last one succeeded, ${age(drill.ageSeconds)} ago` : 'never',
    `Run outgrow backup drill --from ${location} now, and every week by a timer.`,
  )
}

function age(seconds: number): string {
  const hours = seconds / 3600
  if (hours < 2) return `${Math.max(1, Math.round(seconds / 60))} min`
  return hours < 72 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`
}
