import type { Finding, FixReport, TableReport } from '@outgrow/graduate'
import { count, textTable, type Terminal } from '../output/terminal.ts'

/** Findings grouped by table, as people read them. */
export function printFindings(terminal: Terminal, findings: Finding[]): void {
  for (const finding of findings) {
    const where = [finding.table, finding.column].filter((part) => part !== null).join('.')
    terminal.line(
      `${terminal.style('yellow', where || finding.code)}  ${finding.reason} (${rowCount(finding.count)})`,
    )
    if (finding.excerpt !== null) {
      terminal.line(`    value  ${finding.excerpt}${finding.storage === null ? '' : ` (${finding.storage})`}`)
    }
    if (finding.keys.length > 0) {
      const keys = finding.keys.slice(0, 5).map((key) =>
        Object.entries(key)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      )
      terminal.line(`    rows   ${keys.join(', ')}${finding.count > keys.length ? ', …' : ''}`)
    }
    if (finding.fixes.length > 0) terminal.line(`    fix    ${finding.fixes.map(fixText).join(' or ')}`)
  }
}

/** A rule's name becomes the option that asks for it. */
function fixText(fix: string): string {
  return /^[a-z]+(-[a-z]+)+$/.test(fix) ? `--fix ${fix}` : fix
}

/** What was changed by rules, and what is only noted. */
export function printFixes(terminal: Terminal, fixes: FixReport[]): void {
  for (const { rule, table, column, count: rows } of fixes) {
    const what = rule.startsWith('note:') ? `noted ${rule.slice('note:'.length)}` : `fixed by ${rule}`
    terminal.line(`${terminal.style('cyan', `${table}.${column}`)}  ${what} (${rowCount(rows)})`)
  }
}

function rowCount(rows: number): string {
  return rows === 1 ? '1 row' : `${count(rows)} rows`
}

/** Tables that are empty on both sides, as they should be, are only counted. */
export function printTables(terminal: Terminal, tables: TableReport[]): void {
  const shown = tables.filter((table) => table.sourceRows + table.targetRows > 0 || !table.digestMatch)
  const rows = shown.map((table) => [
    table.table,
    table.sourceRows,
    table.targetRows,
    table.quarantinedRows,
    table.digestMatch ? 'equal' : 'DIFFERS',
  ])
  for (const line of textTable(['table', 'sqlite', 'postgres', 'quarantined', 'digest'], rows)) {
    terminal.line(`  ${line}`)
  }
  const empty = tables.length - shown.length
  if (empty > 0) terminal.line(`  and ${count(empty)} empty ${empty === 1 ? 'table' : 'tables'}`)
}
