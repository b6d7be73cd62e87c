import type { Report } from '@outgrow/graduate'
import { count, size, type Terminal } from '../output/terminal.ts'

/** What was copied, and where to. */
export function printExport(terminal: Terminal, { tables, steps }: Report, directory: string): void {
  const [{ rows, bytes } = { rows: 0, bytes: 0 }] = steps
  terminal.line(`Exported ${count(rows)} rows in ${tables.length} tables, ${size(bytes)}, to ${directory}.`)
}
