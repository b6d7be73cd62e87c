import type { Finding, FixReport, TableReport } from '@outgrow/graduate'
import { count, textTable, type Terminal } from './terminal.ts'

/** Findings grouped by table, as people read them. */
export function tellFindings(terminal: Terminal, findings: Finding[]): void {
  for (const finding of findings) {
    const where = [finding.table, finding.column].filter((part) => part !== null).join('.')
    const rows = finding.count === 1 ? '1 row' : `${count(finding.count)} rows`
    terminal.line(`${terminal.style('yellow', where || finding.code)}  ${finding.reason} (${rows})`)
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

export function tellFixes(terminal: Terminal, fixes: FixReport[]): void {
  for (const { rule, table, column, count: rows } of fixes) {
    const what = rule.startsWith('note:') ? `noted ${rule.slice('note:'.length)}` : `fixed by ${rule}`
    terminal.line(`${terminal.style('cyan', `${table}.${column}`)}  ${what} (${count(rows)} rows)`)
  }
}

export function tellTables(terminal: Terminal, tables: TableReport[]): void {
  const rows = tables.map((table) => [
    table.table,
    table.sourceRows,
    table.targetRows,
    table.quarantinedRows,
    table.digestMatch ? 'equal' : 'DIFFERS',
  ])
  for (const line of textTable(['table', 'sqlite', 'postgres', 'set aside', 'digest'], rows))
    terminal.line(`  ${line}`)
}
