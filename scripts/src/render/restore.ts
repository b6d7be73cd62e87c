import type { Recovered, RestoreResult } from '@outgrow/operations'
import { count, duration, type Terminal } from '../output/terminal.ts'
import { printDamage } from './backup.ts'

/** What Ctrl-C leaves of a restore. */
export const stoppedRestore = {
  why: 'The target is as it was.',
  fix: 'Run it again.',
}

/** What was restored, and what to look at. */
export function printRestore(
  terminal: Terminal,
  { manifest, target, passedOver, problems, notes, move, ms }: RestoreResult,
): void {
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
  for (const { id, problem } of passedOver)
    terminal.line(terminal.style('yellow', `${id} is newer, but not whole: ${problem ?? ''}.`))
  if (move?.ok === false) return // what it printed itself is the reason
  terminal.line(`Restored ${manifest.id}, of ${manifest.createdAt}, to ${target}.`)
  terminal.line(
    `  ${count(rows)} rows in ${count(manifest.tables.length)} tables, each compared, in ${duration(ms)}`,
  )
  for (const note of notes) terminal.line(terminal.style('yellow', `  ${note}`))
  for (const note of manifest.notes) terminal.line(`  note: ${note}`)
  printDamage(terminal, manifest.damage.length === 0 ? [] : problems)
}

/** What a server was restored to, and how it goes on. */
export function printRecovered(
  terminal: Terminal,
  { base, lastCommitAt, segments, ms }: Recovered,
  workDir: string,
): void {
  const { id } = base.manifest
  terminal.line(`Restored ${id} and ${count(segments)} segments of WAL to ${workDir}, in ${duration(ms)}.`)
  terminal.line(
    lastCommitAt === null
      ? '  nothing was committed after the base backup'
      : `  the last transaction in it: ${lastCommitAt.toISOString()}`,
  )
  terminal.line(`  It runs; outgrow postgres start --work-dir ${workDir} prints its URL.`)
  terminal.line(
    `  It does not archive: if it is to stay, outgrow backup init --work-dir ${workDir} --to <location>.`,
  )
}

export interface ShownRecovery {
  lastCommitAt: string | null
  archivedUntil: string
  segments: number
}

/** The same for a document. */
export function shownRecovery({ base, lastCommitAt, segments }: Recovered): ShownRecovery {
  return {
    lastCommitAt: lastCommitAt?.toISOString() ?? null,
    archivedUntil: base.until.toISOString(),
    segments,
  }
}
