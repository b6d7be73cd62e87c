import { relative } from 'node:path'
import { Command } from 'commander'
import { exit, Failure } from '@outgrow/kit'
import {
  authorMigrations,
  generateSchemas,
  proveMigrations,
  writeGenerated,
  writeMigrations,
} from '@outgrow/schema'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { providerNames, scratchOf, shadowOption, type ShadowOptions } from './shared.ts'

interface MigrateDocument extends Outcome {
  name: string | null
  migrations: { provider: string; path: string; sql: string }[]
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
  .action((name: string, options: { schema: string; dryRun?: boolean; json?: boolean } & ShadowOptions) =>
    runCommand<MigrateDocument>(
      options.json ?? false,
      { command: 'schema migrate', name: null, migrations: [], warnings: [] },
      async ({ terminal }) => {
        const generated = await generateSchemas({ schema: options.schema })
        if (!generated.dialects.ok) {
          throw new Failure({
            code: 'OUTGROW_SCHEMA_REFUSED',
            message: 'The schema uses features that one of the databases lacks.',
            fix: 'Run outgrow generate to see which ones and what to write instead.',
          })
        }
        const authored = await authorMigrations(generated, name, scratchOf(options))
        const proved = await proveMigrations(generated, authored, scratchOf(options))
        for (const { provider, path, sql } of authored.migrations) {
          terminal.line(terminal.style('bold', `-- ${provider}: ${relative(process.cwd(), path)}`))
          terminal.line(sql)
        }
        for (const warning of authored.warnings)
          terminal.line(`${terminal.style('yellow', 'warning')}  ${warning}`)
        terminal.line(
          `Ran on an empty ${proved}, after the migrations before ${authored.migrations.length === 1 ? 'it' : 'them'}.`,
        )
        if (!options.dryRun) {
          writeGenerated(generated)
          writeMigrations(generated, authored)
          terminal.line(
            `Wrote ${authored.name} for ${authored.migrations.map(({ provider }) => providerNames[provider]).join(' and ')}. Apply it with outgrow schema deploy.`,
          )
        }
        return {
          command: 'schema migrate',
          ok: true,
          exitCode: exit.done,
          name: authored.name,
          migrations: authored.migrations.map((one) => ({ ...one, path: relative(process.cwd(), one.path) })),
          warnings: authored.warnings,
          error: null,
        }
      },
    ),
  )
