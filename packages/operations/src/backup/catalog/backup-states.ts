import type { Storage } from '../model/storage.ts'
import { lastArchivedAt } from '../pitr/last-archived.ts'
import { isWhole, readCatalog, type StoredBackup } from './read-catalog.ts'
import { isOf, type Which } from './which.ts'

/** What is known of the backups of one storage, for signs and metrics. Times are ISO 8601. */
export interface BackupStates {
  newest: {
    id: string
    createdAt: string
    /** Since its state was taken; of a server, since WAL was archived that continues it. */
    ageSeconds: number
    storedBytes: number
    /** From the state that was taken to the last byte stored. */
    durationSeconds: number
  } | null
  /** The last one, of whichever backup. */
  drill: { id: string; at: string; ageSeconds: number; ok: boolean; seconds: number } | null
  /** The last that succeeded. */
  proved: { id: string; at: string; ageSeconds: number } | null
  /** Backups whose objects are not all there. */
  notWhole: number
}

interface StatesOptions extends Which {
  now?: Date
  signal?: AbortSignal
}

/** @throws Failure OUTGROW_STORAGE_UNAVAILABLE, OUTGROW_STORAGE_DENIED */
export async function backupStates(
  storage: Storage,
  { now = new Date(), signal, ...which }: StatesOptions = {},
): Promise<BackupStates> {
  const catalog = await readCatalog(storage, signal)
  const backups = catalog.backups.filter((backup) => isOf(backup, which))
  const states = statesOf(backups, now)
  const newest = backups.find(isWhole)
  const archivedAt = newest && (await lastArchivedAt(storage, newest.keys, signal))
  if (states.newest && archivedAt) {
    const sinceArchived = Math.max(0, (now.getTime() - archivedAt.getTime()) / 1000)
    states.newest.ageSeconds = Math.min(states.newest.ageSeconds, sinceArchived)
  }
  return states
}

export function statesOf(backups: StoredBackup[], now: Date): BackupStates {
  const whole = backups.filter(isWhole)
  const [newest] = whole
  const drills = backups.flatMap((backup) => backup.drills).toSorted((a, b) => (a.at < b.at ? 1 : -1))
  const [drill] = drills
  const proved = drills.find(({ ok }) => ok)
  const secondsSince = (time: string) => Math.max(0, (now.getTime() - Date.parse(time)) / 1000)
  return {
    newest: newest
      ? {
          id: newest.id,
          createdAt: newest.takenAt,
          ageSeconds: secondsSince(newest.takenAt),
          storedBytes: newest.header.storedBytes,
          durationSeconds:
            (Date.parse(newest.header.finishedAt) - Date.parse(newest.header.createdAt)) / 1000,
        }
      : null,
    drill: drill
      ? {
          id: drill.id,
          at: drill.at,
          ageSeconds: secondsSince(drill.at),
          ok: drill.ok,
          seconds: drill.ms / 1000,
        }
      : null,
    proved: proved ? { id: proved.id, at: proved.at, ageSeconds: secondsSince(proved.at) } : null,
    notWhole: backups.length - whole.length,
  }
}
