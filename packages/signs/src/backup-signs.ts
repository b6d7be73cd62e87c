import { judged, type Sign, type Threshold } from './level.ts'

const thresholds = {
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
  | { reason: string }

/** Signs of backups: absent, too old, never restored for a try. What nobody has configured is unknown, which is not fine. */
export function backupSigns(reading: BackupReading): Sign[] {
  if ('reason' in reading) {
    const unknown = { value: null, text: reading.reason, advice: '' }
    return [
      judged('backup', thresholds.backup, { title: 'Backup', ...unknown }),
      judged('drill', thresholds.drill, { title: 'Backup drill', ...unknown }),
    ]
  }
  return [newestSign(reading), drillSign(reading)]
}

type Known = Exclude<BackupReading, { reason: string }>

function newestSign({ location, newest }: Known): Sign {
  return judged('backup', thresholds.backup, {
    title: 'Backup',
    value: newest ? newest.ageSeconds / 3600 : Infinity,
    text: newest ? `the newest is ${age(newest.ageSeconds)} old` : `there is none in ${location}`,
    advice: `Run outgrow backup --to ${location} now, and every day by a timer; read what the last run of the timer printed.`,
  })
}

function drillSign({ location, drill }: Known): Sign {
  const hours = drill ? drill.ageSeconds / 3600 : Infinity
  return judged('drill', thresholds.drill, {
    title: 'Backup drill',
    value: drill?.ok === false ? Infinity : hours,
    text: drill ? `the last ${drill.ok ? 'succeeded' : 'FAILED'}, ${age(drill.ageSeconds)} ago` : 'never',
    advice:
      drill?.ok === false
        ? `The newest backup does not restore: make another with outgrow backup --to ${location}, and try it with outgrow backup drill.`
        : `Run outgrow backup drill --from ${location} now, and every week by a timer.`,
  })
}

function age(seconds: number): string {
  const hours = seconds / 3600
  if (hours < 2) return `${Math.round(seconds / 60)} min`
  return hours < 72 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`
}
