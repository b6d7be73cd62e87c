import type { Verified } from '@outgrow/graduate'
import { count, duration, type Terminal } from '../output/terminal.ts'
import { printFindings, printTables } from './findings.ts'

/** Both sides, table by table, and what differs. */
export function printVerification(terminal: Terminal, { report, notes, ms }: Verified): void {
  const { tables, findings } = report
  printTables(terminal, tables)
  for (const note of notes) terminal.line(note)
  printFindings(terminal, findings)
  const rows = tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  terminal.line(
    tables.every(({ digestMatch }) => digestMatch)
      ? `${terminal.style('green', 'Equal')}: ${count(rows)} rows in ${tables.length} tables, ${duration(ms)}.`
      : `${terminal.style('red', 'Different')}: see the rows above.`,
  )
}
