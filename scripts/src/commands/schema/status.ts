import { relative } from 'node:path'
import { Command } from 'commander'
import { parseDatabaseUrl } from '@outgrow/databases'
import { isUpToDate, migrationStatus, readSchemaSource, type MigrationStatus } from '@outgrow/schema'
import { exit } from '@outgrow/kit'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count, type Terminal } from '../../output/terminal.ts'
import {
  jsonOption,
  providerNames,
  schemaOption,
  scratchOf,
  shadowOption,
  type ShadowOptions,
} from './shared.ts'

interface Options extends ShadowOptions {
  to?: string[]
  schema: string
  compare: boolean
  json?: boolean
}

export const statusCommand = new Command('status')
  .summary('the state of both histories and their databases')
  .description(
    'Shows the migrations of both sides and, for each given database, which are applied, pending, failed or changed since, and where its tables differ from the applied migrations. Writes nothing.',
  )
  .option('--to <url...>', 'one or two databases (default: DATABASE_URL and POSTGRES_URL)')
  .option(...schemaOption)
  .option('--no-compare', 'do not compare the tables, which needs an empty database')
  .addOption(shadowOption())
  .option(...jsonOption)
  .addHelpText(
    'after',
    `
Examples:
  outgrow schema status
  outgrow schema status --to file:./app.db "$POSTGRES_URL" --json

Exit status: 0 up to date, 4 something is pending, failed, changed or drifted.`,
  )
  .action((options: Options) =>
    runCommand<Outcome & { sides: MigrationStatus[] }>(
      options.json ?? false,
      { command: 'schema status', sides: [] },
      async ({ terminal }) => {
        const source = readSchemaSource(options.schema)
        const named = options.to ?? [process.env.DATABASE_URL, process.env.POSTGRES_URL]
        const urls = new Set(named.filter((url): url is string => url !== undefined && url !== ''))
        const scratch = options.compare ? scratchOf(options) : undefined
        const sides: MigrationStatus[] = []
        for (const provider of ['sqlite', 'postgres'] as const) {
          const mine = [...urls].filter((url) => parseDatabaseUrl(url).kind === provider)
          for (const url of mine.length === 0 ? [undefined] : mine) {
            sides.push(await migrationStatus(source, provider, url, scratch))
          }
        }
        for (const side of sides) show(side, options.compare, terminal)
        const ok = sides.every(isUpToDate)
        return { command: 'schema status', ok, exitCode: ok ? exit.done : exit.findings, sides, error: null }
      },
    ),
  )

function show(side: MigrationStatus, compare: boolean, terminal: Terminal): void {
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
