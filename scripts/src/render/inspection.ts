import type { InspectReport } from '@outgrow/graduate'
import { count, duration, size, textTable, type Terminal } from '../output/terminal.ts'
import { printFindings, printFixes } from './findings.ts'

/** A file as it was found, its tables, and what stands in the way of a move. */
export function printInspection(
  terminal: Terminal,
  { tables, findings, fixes, source }: InspectReport,
): void {
  const wal = source.walBytes > 0 ? ` and ${size(source.walBytes)} in -wal` : ''
  terminal.line(
    `SQLite ${source.sqliteVersion}, ${source.journalMode} journal, ${source.encoding}, ${size(source.sizeBytes)}${wal}, integrity ${source.integrity}`,
  )
  const filled = tables.filter(({ sourceRows }) => sourceRows > 0)
  const cells = filled.map(({ table, sourceRows, quarantinedRows }) => [table, sourceRows, quarantinedRows])
  for (const line of textTable(['table', 'rows', 'bad'], cells)) terminal.line(`  ${line}`)
  for (const note of source.notes) terminal.line(note)
  printFixes(terminal, fixes)
  printFindings(terminal, findings)
  const rows = tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  terminal.line(
    findings.length === 0
      ? `${count(rows)} rows, no findings. The move takes about ${duration(source.estimatedMs)}.`
      : `${count(rows)} rows, ${count(findings.length)} findings. Nothing was changed.`,
  )
}
