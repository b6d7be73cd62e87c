import { Command } from 'commander'
import { readSchemaSource } from '@outgrow/schema'
import { planInit, writeInit } from '../../billing/plan-init.ts'
import { runCommand } from '../../output/run.ts'
import { documentOf, printInit, type InitDocument } from '../../render/billing-init.ts'
import { scratchOf, shadowOption, type ShadowOptions } from '../schema/shared.ts'

interface Options extends ShadowOptions {
  schema: string
  account: string
  prefix: string
  dryRun?: boolean
  json?: boolean
}

export const initCommand = new Command('init')
  .summary('add the models that billing needs to a project’s schema')
  .description(
    'Adds billing’s models and enums to a Prisma schema of any project as one fragment, with a migration for SQLite and one for Postgres. Names that are taken get a prefix; models of an earlier version get the fields, keys, indexes and values that they lack, at their end. Everything is validated and run on empty databases before a file is changed.',
  )
  .requiredOption('--account <model>', 'the model that pays: an account, a team, a user')
  .option('--prefix <name>', 'put before names that are taken', 'Billing')
  .option('--schema <path>', 'schema file or folder', 'prisma/schema.prisma')
  .option('--dry-run', 'show what would be written and write nothing')
  .addOption(shadowOption())
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  outgrow billing init --account Team --dry-run
  outgrow billing init --account User --schema prisma/schema

Exit status: 0 written, 2 refused; nothing was changed then.`,
  )
  .action((options: Options) =>
    runCommand<InitDocument>(
      options.json ?? false,
      { command: 'billing init', models: {}, files: [], migrations: [] },
      async ({ terminal }) => {
        const { account, prefix, dryRun = false } = options
        const source = readSchemaSource(options.schema)
        const done = terminal.busy('Validating the models and their migrations')
        const planned = await planInit({ source, account, prefix }, scratchOf(options)).finally(done)
        printInit(terminal, planned, dryRun)
        if (!dryRun) writeInit(planned)
        return documentOf(planned)
      },
    ),
  )
