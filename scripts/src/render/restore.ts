import type { RestoreResult } from '@outgrow/operations'
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
