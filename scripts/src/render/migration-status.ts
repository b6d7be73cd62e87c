import { relative } from 'node:path'
import { isUpToDate, type MigrationStatus } from '@outgrow/schema'
import { count, type Terminal } from '../output/terminal.ts'
import { providerNames } from './provider-names.ts'

/** One side of a project: its migrations, and where its database stands. */
export function printMigrationStatus(terminal: Terminal, side: MigrationStatus, compare: boolean): void {
  const folder = relative(process.cwd(), side.folder) || '.'
  const amount =
    side.migrations.length === 0 ? 'no migrations' : `${count(side.migrations.length)} in ${folder}`
  terminal.line(`${terminal.style('bold', providerNames[side.provider])}  ${amount}`)
  if (!side.hasDatabase) return terminal.line('  no database given')
  if (side.unrecorded) terminal.line('  tables without a history: run outgrow schema baseline to record one')
  terminal.line(`  applied  ${side.applied.length === 0 ? 'none' : count(side.applied.length)}`)
  const lists: [string, string[]][] = [
    ['pending', side.pending],
    ['failed', side.failed.map(({ name }) => `${name}: outgrow schema resolve --rolled-back ${name}`)],
    ['changed since it was applied', side.edited],
    ['applied but not in the folder', side.unknown],
    ['drifted', side.drift ?? []],
  ]
  for (const [title, lines] of lists) {
    if (lines.length > 0) terminal.line(`  ${terminal.style('yellow', title)}`)
    for (const line of lines) terminal.line(`    ${line}`)
  }
  if (isUpToDate(side) && side.drift) terminal.line('  the tables match the migrations')
  else if (side.drift === undefined)
    terminal.line(`  tables not compared${compare ? ': resolve the failed migrations first' : ''}`)
}
