import { Command } from 'commander'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { providerNames } from '../../render/provider-names.ts'
import { databaseOf, jsonOption, schemaOption, toOption } from './shared.ts'

interface DeployDocument extends Outcome {
  applied: string[]
  notes: string[]
}

export const deployCommand = new Command('deploy')
  .summary('apply pending migrations to a database')
  .description(
    'Applies migrations to the SQLite file or Postgres given by --to, each completely or not at all, and maintains _prisma_migrations as Prisma does. The folder is sqlite/migrations or postgres/migrations beside the schema, else the project’s own migrations.',
  )
  .option(...toOption)
  .option(...schemaOption)
  .option('--create-extensions', 'create the extensions that migrations use but do not create')
  .option(...jsonOption)
  .addHelpText(
    'after',
    `
Examples:
  outgrow schema deploy --to file:./dev.db
  outgrow schema deploy --to "$POSTGRES_URL" --create-extensions

Exit status: 0 applied or up to date, 2 refused; the message names the file, the line and the next step.`,
  )
  .action((options: { to?: string; schema: string; createExtensions?: boolean; json?: boolean }) =>
    runCommand<DeployDocument>(
      options.json ?? false,
      { command: 'schema deploy', applied: [], notes: [] },
      async ({ terminal }) => {
        const { applied, provider, notes } = await deployMigrations(
          readSchemaSource(options.schema),
          await databaseOf(options),
          { createExtensions: options.createExtensions ?? false },
        )
        for (const note of notes) terminal.line(`${terminal.style('cyan', 'note')}  ${note}`)
        terminal.line(
          applied.length === 0
            ? `The ${providerNames[provider]} database is up to date.`
            : `Applied ${applied.join(', ')}.`,
        )
        return outcome('schema deploy', { applied, notes })
      },
    ),
  )
