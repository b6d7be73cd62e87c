import type { ArchiveCheck } from '../archiving/judge.ts'
import type { Coverage } from './coverage.ts'

/** A base backup that is older makes recovery long, and keeps WAL from being removed. */
const oldBaseDays = 8

/**
 * Adds to a check to which time a server can be restored.
 * @param coverages of its base backups, newest first
 */
export function judgeCoverage(
  check: ArchiveCheck,
  coverages: readonly Coverage[],
  { location, now }: { location: string; now: Date },
): void {
  const [newest] = coverages
  if (newest?.broken) {
    check.findings.push({
      code: 'OUTGROW_WAL_GAP',
      message: `The WAL of the newest base backup, ${newest.manifest.id}, breaks off: ${newest.broken.message}`,
      fix: 'Take a base backup now: outgrow backup base. What was committed from there until then can be restored only if the object is found.',
    })
  }
  if (newest?.until === undefined) {
    check.findings.push({
      code: 'OUTGROW_BASE_MISSING',
      message: `${location} has no base backup of this server whose WAL is complete.`,
      fix: 'Take one: outgrow backup base.',
    })
    return
  }
  const oldest = coverages.findLast(({ until }) => until !== undefined) ?? newest
  check.facts.push(
    `It can be restored to any time from ${oldest.from.toISOString()} to ${newest.until.toISOString()}.`,
  )
  const days = (now.getTime() - newest.from.getTime()) / 86_400_000
  if (days > oldBaseDays) {
    check.findings.push({
      code: 'OUTGROW_BASE_OLD',
      message: `The newest base backup is ${Math.floor(days)} days old.`,
      fix: 'Take one every week: outgrow backup base.',
    })
  }
}
