import { Command } from 'commander'
import { baselineDatabase, readSchemaSource } from '@outgrow/schema'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import {
  databaseOf,
  jsonOption,
  schemaOption,
  scratchOf,
  shadowOption,
  toOption,
  type ShadowOptions,
} from './shared.ts'

interface Options extends ShadowOptions {
  to?: string
  schema: string
  through?: string
  json?: boolean
}

export const baselineCommand = new Command('baseline')
  .summary('give a database that has tables a migration history')
  .description(
    'Runs the migrations on an empty database, compares the result with the existing tables, and records the matching migrations as applied. If no migration matches, it prints the differences and records nothing.',
  )
  .option(...toOption)
  .option(...schemaOption)
  .option('--through <name>', 'the last migration that has run, if the tables do not show it')
  .addOption(shadowOption())
  .option(...jsonOption)
  .addHelpText('after', '\nExample:\n  outgrow schema baseline --to "$POSTGRES_URL"')
  .action((options: Options) =>
    runCommand<Outcome & { applied: string[]; pending: string[] }>(
      options.json ?? false,
      { command: 'schema baseline', applied: [], pending: [] },
      async ({ terminal }) => {
        const { applied, pending } = await baselineDatabase(
          readSchemaSource(options.schema),
          await databaseOf(options),
          scratchOf(options),
          options.through,
        )
        terminal.line(`The tables match the migrations. Recorded as applied: ${applied.join(', ')}.`)
        if (pending.length > 0) terminal.line(`Not yet deployed: ${pending.join(', ')}.`)
        return outcome('schema baseline', { applied, pending })
      },
    ),
  )
