import type { BackupPlan, Manifest, Storage } from '@outgrow/operations'
import { count, duration, size, type Terminal } from '../output/terminal.ts'

/** What Ctrl-C leaves of a backup. */
export const stoppedBackup = {
  why: 'What was stored of it was removed; the database and the other backups are unchanged.',
  fix: 'Run it again.',
}

/** What was stored, and what is the matter with it. */
export function printBackup(terminal: Terminal, manifest: Manifest, storage: Storage): void {
  const { id, tables, plainBytes, storedBytes, keyId, notes, damage } = manifest
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const ms = Date.parse(manifest.finishedAt) - Date.parse(manifest.createdAt)
  terminal.line(`${terminal.style('bold', id)}  in ${storage.description}`)
  terminal.line(
    `  ${count(rows)} rows in ${count(tables.length)} tables, ${size(plainBytes)}, stored as ${size(storedBytes)} in ${duration(ms)}`,
  )
  terminal.line(`  ${protectedBy(keyId)}`)
  for (const note of notes) terminal.line(`  note: ${note}`)
  printDamage(terminal, damage)
}

/** What a backup would be. */
export function printBackupPlan(terminal: Terminal, plan: BackupPlan): void {
  terminal.line(`Would store a backup of ${plan.database}, ${size(plan.sizeBytes)}, in ${plan.location}.`)
  terminal.line(`  ${protectedBy(plan.keyId)}`)
  for (const note of plan.notes) terminal.line(`  note: ${note}`)
}

export function printDamage(terminal: Terminal, damage: string[]): void {
  if (damage.length === 0) return
  terminal.line(terminal.style('red', 'The database that was backed up is damaged:'))
  for (const text of damage) terminal.line(`  ${text}`)
  terminal.line('  Repair it, or restore an older backup: this one has the same damage.')
}

export function protectedBy(keyId: string | null): string {
  return keyId === null
    ? 'not encrypted: whoever can read the storage can read it'
    : `encrypted with the key ${keyId}`
}
