import { Command } from 'commander'
import { planMigrations, readSchemaSource, writeGenerated, writeMigrations } from '@outgrow/schema'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printPlanned, printWritten, shownMigrations, type ShownMigration } from '../../render/migrations.ts'
import { scratchOf, shadowOption, type ShadowOptions } from './shared.ts'

type Options = ShadowOptions & { schema: string; dryRun?: boolean; json?: boolean }

interface MigrateDocument extends Outcome {
  name: string | null
  migrations: ShownMigration[]
  warnings: string[]
}

export const migrateCommand = new Command('migrate')
  .summary('write one migration per database, side by side')
  .description(
    'Writes the difference between the last schema and this one as one migration for SQLite and one for Postgres, in Prisma Migrate’s layout. Shows both, runs both on empty databases, and warns about possible data loss. An existing prisma/migrations is continued in place.',
  )
  .argument('<name>', 'what the migration does, such as add_votes')
  .option('--schema <path>', 'schema file or folder', 'prisma/schema.prisma')
  .option('--dry-run', 'show the SQL and write nothing')
  .addOption(shadowOption())
  .option('--json', 'print one JSON document on stdout')
  .addHelpText('after', '\nExample:\n  outgrow schema migrate add_votes')
  .action((label: string, options: Options) =>
    runCommand<MigrateDocument>(
      options.json ?? false,
      { command: 'schema migrate', name: null, migrations: [], warnings: [] },
      async ({ terminal }) => {
        const planned = await planMigrations(readSchemaSource(options.schema), label, scratchOf(options))
        const { generated, authored } = planned
        printPlanned(terminal, planned)
        if (!options.dryRun) {
          writeGenerated(generated)
          writeMigrations(generated, authored)
          printWritten(terminal, authored)
        }
        const { name, warnings } = authored
        return outcome('schema migrate', { name, migrations: shownMigrations(authored), warnings })
      },
    ),
  )
