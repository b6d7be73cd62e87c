import type { Drill, ListedBackup, PruneResult, Storage } from '@outgrow/operations'
import { count, duration, size, textTable, type Terminal } from '../output/terminal.ts'

export const stoppedPrune = {
  why: 'What was removed until now is gone; a backup that was half removed is none any more.',
  fix: 'Run it again.',
}

export const stoppedDrill = {
  why: 'The scratch database was removed, and nothing was recorded.',
  fix: 'Run it again.',
}

/** The backups of a storage, the newest first. */
export function printBackups(terminal: Terminal, backups: ListedBackup[], storage: Storage): void {
  if (backups.length === 0) terminal.line(`There are no backups in ${storage.description}.`)
  else {
    const head = ['backup', 'of', 'size', 'stored', 'key', 'last drill']
    const rows = backups.map((backup) => [
      backup.id,
      backup.provider === null ? '?' : `${backup.provider}${backup.method === 'base' ? ' server' : ''}`,
      backup.plainBytes === null ? '?' : size(backup.plainBytes),
      backup.storedBytes === null ? '?' : size(backup.storedBytes),
      backup.createdAt === null ? '?' : (backup.keyId ?? 'none'),
      drillText(backup),
    ])
    for (const line of textTable(head, rows)) terminal.line(line)
  }
  for (const { id, problem } of backups)
    if (problem !== null) terminal.line(terminal.style('red', `${id} is not whole: ${problem}.`))
}

function drillText({ lastDrill }: ListedBackup): string {
  if (lastDrill === null) return 'never'
  return `${lastDrill.ok ? 'restored' : 'FAILED'} ${lastDrill.at.slice(0, 16)}Z in ${duration(lastDrill.ms)}`
}

/** What stays and why, and what goes. */
export function printPrune(terminal: Terminal, pruned: PruneResult, dryRun: boolean): void {
  for (const { id, reasons } of pruned.keep) terminal.line(`keep    ${id}  ${reasons.join(', ')}`)
  const verb = dryRun ? 'would remove' : 'removed'
  for (const { id, reason } of pruned.remove) terminal.line(`${verb}  ${id}  ${reason}`)
  for (const { id, sizeBytes, modifiedAt } of pruned.leftovers)
    terminal.line(`${verb}  ${id}  never ended: ${size(sizeBytes)}, last stored ${modifiedAt.toISOString()}`)
  for (const key of pruned.unfinished) terminal.line(`${verb}  ${key}  an upload that never ended`)
  for (const { archive, keys, sizeBytes } of pruned.wal)
    terminal.line(
      `${verb}  ${count(keys.length)} files of WAL of ${archive}, ${size(sizeBytes)}: no base backup needs them`,
    )
  const { remove, leftovers, unfinished, wal } = pruned
  if (remove.length + leftovers.length + unfinished.length + wal.length === 0)
    terminal.line('There is nothing to remove.')
}

export function printDrill(terminal: Terminal, drill: Drill): void {
  const { id, ok, ms, server, tables, rows, compared, problems, notes } = drill
  if (ok) {
    terminal.line(`${terminal.style('green', 'Proved')}  ${id} restores in ${duration(ms)} (${server})`)
    terminal.line(
      `  ${count(rows)} rows in ${count(tables)} tables, ${compared ? 'each digest as it was when it was backed up' : 'all of them read, after all WAL was replayed'}`,
    )
    for (const note of notes) terminal.line(`  not proved: ${note}`)
    return
  }
  terminal.line(`${terminal.style('red', 'FAILED')}  ${id} does not restore as it was backed up:`)
  for (const problem of problems) terminal.line(`  ${problem}`)
  terminal.line('  Make another backup now, and try that one, too.')
}
