import type { TrialDatabase } from '@outgrow/graduate'
import { size, textTable, type Terminal } from '../output/terminal.ts'

/** The databases of the embedded PostgreSQL, and what was moved into each. */
export function printTrialDatabases(terminal: Terminal, databases: TrialDatabase[]): void {
  const rows = databases.map(({ name, status, sizeBytes, source, startedAt }) => [
    name,
    status,
    size(sizeBytes),
    startedAt ?? '',
    source ?? '',
  ])
  for (const line of textTable(['database', 'run', 'size', 'begun', 'source'], rows)) terminal.line(line)
  if (databases.length === 0) terminal.line('There are no databases.')
}
