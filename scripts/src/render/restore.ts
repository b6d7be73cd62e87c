<<<<<<< HEAD
import type { RestoreResult } from '@outgrow/operations'
=======
import type { Report } from '@outgrow/graduate'
import { summaryOf, type BackupSummary, type RestoreResult } from '@outgrow/operations'
import { outcome, type Outcome } from '../output/outcome.ts'
>>>>>>> c11d1fc (Restore backups of SQLite into Postgres by the move)
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
<<<<<<< HEAD
=======

export interface RestoreDocument extends Outcome {
  backup: BackupSummary | null
  target: string | null
  passedOver: { id: string; problem: string }[]
  problems: string[]
  notes: string[]
  /** The report of the move, where a backup of SQLite went into Postgres. */
  move: Report | null
  ms: number | null
}

export const blankRestore = {
  command: 'restore',
  backup: null,
  target: null,
  passedOver: [],
  problems: [],
  notes: [],
  move: null,
  ms: null,
}

export function restoreDocument({ manifest, ...restored }: RestoreResult): RestoreDocument {
  const { passedOver, problems, notes, move } = restored
  const fields = {
    ...restored,
    backup: summaryOf(manifest),
    passedOver: passedOver.map(({ id, problem = '' }) => ({ id, problem })),
  }
  const document = outcome('restore', fields, passedOver.length + problems.length + notes.length === 0)
  if (move === null || move.exitCode === 0) return document
  return { ...document, ok: move.ok && document.ok, exitCode: move.exitCode, error: move.error }
}
>>>>>>> c11d1fc (Restore backups of SQLite into Postgres by the move)
