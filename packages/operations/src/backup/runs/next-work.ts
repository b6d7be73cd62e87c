import type { BackupStates } from '../catalog/backup-states.ts'

/** How often there is a backup, and a drill of one. */
export interface Schedule {
  everyMs: number
  /** Undefined: none. */
  drillEveryMs: number | undefined
}

export type Work = { is: 'backup' } | { is: 'drill' } | { is: 'wait'; ms: number }

/** What a process has tried, whether or not it succeeded. */
export interface Tried {
  last: 'backup' | 'drill' | undefined
  /** Since a drill was last begun. */
  drillAgoMs: number
}

export const nothingTried: Tried = { last: undefined, drillAgoMs: Infinity }

/**
 * What is due, judged by what the storage holds: another process may have done it already. A backup goes first, except that a
 * drill follows each one when it is due: backups which take longer than their interval leave room for it.
 */
export function nextWork({ newest, drill }: BackupStates, schedule: Schedule, tried: Tried): Work {
  const { everyMs, drillEveryMs } = schedule
  if (newest === null) return { is: 'backup' }
  const backupInMs = everyMs - newest.ageSeconds * 1000
  const drillInMs =
    drillEveryMs === undefined
      ? Infinity
      : Math.max(
          drill === null ? -Infinity : drillEveryMs - drill.ageSeconds * 1000,
          drillRetryMs(schedule) - tried.drillAgoMs,
        )
  if (drillInMs <= 0 && (backupInMs > 0 || tried.last === 'backup')) return { is: 'drill' }
  if (backupInMs <= 0) return { is: 'backup' }
  return { is: 'wait', ms: Math.min(backupInMs, drillInMs) }
}

/** How long a drill that could not be made, and so left no trace in the storage, counts as one. */
export function drillRetryMs({ everyMs, drillEveryMs = Infinity }: Schedule): number {
  return Math.min(everyMs, drillEveryMs)
}
