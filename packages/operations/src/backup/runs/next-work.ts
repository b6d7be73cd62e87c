import type { BackupStates } from '../catalog/backup-states.ts'

/** How often there is a backup, and a drill of one. */
export interface Schedule {
  everyMs: number
  /** Undefined: none. */
  drillEveryMs: number | undefined
}

export type Work = { is: 'backup' } | { is: 'drill' } | { is: 'wait'; ms: number }

/**
 * What is due, judged by what the storage holds: another process may have done it already. The longer overdue goes first, so that
 * backups which take longer than their interval leave room for a drill.
 */
export function nextWork({ newest, drill }: BackupStates, { everyMs, drillEveryMs }: Schedule): Work {
  if (newest === null) return { is: 'backup' }
  const backupInMs = everyMs - newest.ageSeconds * 1000
  const drillInMs = drillEveryMs === undefined ? Infinity : dueInMs(drill?.ageSeconds, drillEveryMs)
  const soonestMs = Math.min(backupInMs, drillInMs)
  if (soonestMs > 0) return { is: 'wait', ms: soonestMs }
  return { is: drillInMs < backupInMs ? 'drill' : 'backup' }
}

function dueInMs(ageSeconds: number | undefined, everyMs: number): number {
  return ageSeconds === undefined ? -Infinity : everyMs - ageSeconds * 1000
}
