import type { Report } from '@outgrow/graduate'
import { count, duration, type Terminal } from '../output/terminal.ts'
import { printFindings, printFixes } from './findings.ts'

/** What was changed and set aside on the way into files. */
export function printTransformation(
  terminal: Terminal,
  { tables, findings, fixes, steps, error }: Report,
): void {
  printFixes(terminal, fixes)
  printFindings(terminal, findings)
  const [{ rows, ms } = { rows: 0, ms: 0 }] = steps
  terminal.line(
    error === null
      ? `Wrote ${count(rows)} rows in ${tables.length} files, ${duration(ms)}.`
      : 'Bad values prevent the import: see above.',
  )
}
