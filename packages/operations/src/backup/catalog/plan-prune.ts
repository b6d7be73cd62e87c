import {
  isProved,
  isWhole,
  type Catalog,
  type Leftover,
  type StoredBackup,
  type WholeBackup,
} from './read-catalog.ts'

export interface PrunePolicy {
  /** Of how many of the last days that have a backup the newest stays. */
  keepDaily: number
  /** Of how many weeks, from Monday. */
  keepWeekly: number
}

export interface PrunePlan {
  keep: { id: string; reasons: string[] }[]
  remove: { id: string; reason: string; keys: string[] }[]
  /** Of runs that never ended. */
  leftovers: Leftover[]
}

/** A run that has stored nothing for so long does not run any more. */
export const leftoverAgeMs = 24 * 3600_000

/** What goes and what stays, and why. Days and weeks are those of UTC; each kind of backup is counted for itself. */
export function planPrune(catalog: Catalog, policy: PrunePolicy, now: Date): PrunePlan {
  const reasons = new Map<string, string[]>()
  const keep = (backup: StoredBackup | undefined, reason: string) => {
    if (backup) reasons.set(backup.id, [...(reasons.get(backup.id) ?? []), reason])
  }
  for (const whole of byKind(catalog.backups.filter(isWhole))) {
    keep(whole[0], 'the newest')
    keep(whole.find(isProved), 'the newest that a drill has proved')
    for (const backup of newestOfEach(whole, dayOf, policy.keepDaily)) keep(backup, `of ${dayOf(backup)}`)
    for (const backup of newestOfEach(whole, weekOf, policy.keepWeekly))
      keep(backup, `of the week of ${weekOf(backup)}`)
  }
  const newestWhole = catalog.backups.findIndex(isWhole)
  for (const [at, backup] of catalog.backups.entries()) {
    if (backup.isForeign) keep(backup, 'another version of Outgrow made it')
    // What is wrong with the newest is for somebody to look at.
    else if (!isWhole(backup) && (newestWhole < 0 || at < newestWhole)) keep(backup, 'no newer one is whole')
    else if (!isWhole(backup) && now.getTime() - Date.parse(backup.takenAt) < leftoverAgeMs)
      keep(backup, 'not whole, and not a day old')
  }
  return {
    keep: [...reasons].map(([id, why]) => ({ id, reasons: why })),
    remove: catalog.backups
      .filter(({ id }) => !reasons.has(id))
      .map((backup) => ({
        id: backup.id,
        reason: isWhole(backup) ? 'a newer one stands for its day and week' : `not whole: ${backup.problem}`,
        keys: backup.keys,
      })),
    leftovers: catalog.leftovers.filter(
      ({ modifiedAt }) => now.getTime() - modifiedAt.getTime() > leftoverAgeMs,
    ),
  }
}

function byKind(backups: WholeBackup[]): WholeBackup[][] {
  const kinds = new Map<string, WholeBackup[]>()
  for (const backup of backups) {
    const kind = `${backup.header.provider} ${backup.header.method}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), backup])
  }
  return [...kinds.values()]
}

function newestOfEach(
  backups: WholeBackup[],
  periodOf: (backup: WholeBackup) => string,
  periods: number,
): WholeBackup[] {
  const newest = new Map<string, WholeBackup>()
  for (const backup of backups) {
    const period = periodOf(backup)
    if (!newest.has(period)) newest.set(period, backup)
  }
  return [...newest.values()].slice(0, periods)
}

function dayOf({ takenAt }: WholeBackup): string {
  return takenAt.slice(0, 10)
}

/** The Monday that it begins with. */
function weekOf({ takenAt }: WholeBackup): string {
  const day = new Date(takenAt)
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  return day.toISOString().slice(0, 10)
}
