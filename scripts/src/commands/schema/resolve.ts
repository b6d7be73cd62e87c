import { Command, Option } from 'commander'
import { Failure } from '@outgrow/kit'
import { readSchemaSource, resolveMigration } from '@outgrow/schema'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { databaseOf, jsonOption, schemaOption, toOption } from './shared.ts'

interface Options {
  applied?: string
  rolledBack?: string
  to?: string
  schema: string
  json?: boolean
}

export const resolveCommand = new Command('resolve')
  .summary('record the outcome of a failed migration')
  .description(
    'Records in _prisma_migrations that a migration is applied, or that a failed one was rolled back, as prisma migrate resolve does. It runs no migration.',
  )
  .addOption(
    new Option('--applied <name>', 'everything in this migration is in the database').conflicts('rolledBack'),
  )
  .option('--rolled-back <name>', 'nothing of this migration is in the database')
  .option(...toOption)
  .option(...schemaOption)
  .option(...jsonOption)
  .addHelpText(
    'after',
    `
Examples:
  outgrow schema resolve --rolled-back 20260101120000_add_votes
  outgrow schema resolve --applied 0_init --to "$POSTGRES_URL"`,
  )
  .action((options: Options) =>
    runCommand<Outcome & { name: string | null }>(
      options.json ?? false,
      { command: 'schema resolve', name: null },
      async ({ terminal }) => {
        const name = options.applied ?? options.rolledBack
        if (name === undefined) {
          throw new Failure({
            code: 'OUTGROW_OPTION_INVALID',
            message: 'No migration was named.',
            fix: 'Pass --applied <name> or --rolled-back <name>.',
          })
        }
        const as = options.applied === undefined ? 'rolled-back' : 'applied'
        await resolveMigration(readSchemaSource(options.schema), await databaseOf(options), name, as)
        terminal.line(`Recorded that ${name} is ${as === 'applied' ? 'applied' : 'rolled back'}.`)
        return outcome('schema resolve', { name })
      },
    ),
  )
