import { Command } from 'commander'
import { isUpToDate, migrationStatuses, readSchemaSource, type MigrationStatus } from '@outgrow/schema'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printMigrationStatus } from '../../render/migration-status.ts'
import {
  databasesOfProject,
  jsonOption,
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
        const urls = new Set(options.to ?? (await databasesOfProject()))
        const scratch = options.compare ? scratchOf(options) : undefined
        const sides = await migrationStatuses(source, [...urls], scratch)
        for (const side of sides) printMigrationStatus(terminal, side, options.compare)
        return outcome('schema status', { sides }, sides.every(isUpToDate))
      },
    ),
  )
