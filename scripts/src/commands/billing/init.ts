import { relative } from 'node:path'
import { Command } from 'commander'
import { readSchemaSource } from '@outgrow/schema'
import { exit } from '@outgrow/kit'
import { planInit, writeInit, type PlannedInit } from '../../billing/plan-init.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import type { Terminal } from '../../output/terminal.ts'
import { providerNames, scratchOf, shadowOption, type ShadowOptions } from '../schema/shared.ts'

interface Options extends ShadowOptions {
  schema: string
  account: string
  prefix: string
  dryRun?: boolean
  json?: boolean
}

interface Document extends Outcome {
  /** What billing's models are called in the schema. */
  models: Record<string, string>
  files: string[]
  migrations: { provider: string; path: string; sql: string }[]
}

export const initCommand = new Command('init')
  .summary('add the models that billing needs to a project’s schema')
  .description(
    'Adds billing’s models and enums to a Prisma schema of any project as one fragment, with a migration for SQLite and one for Postgres. Names that are taken get a prefix. Everything is validated and run on empty databases before a file is changed.',
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
    runCommand<Document>(
      options.json ?? false,
      { command: 'billing init', models: {}, files: [], migrations: [] },
      async ({ terminal }) => {
        const { account, prefix } = options
        const source = readSchemaSource(options.schema)
        const done = terminal.busy('Validating the models and their migrations')
        const planned = await planInit({ source, account, prefix }, scratchOf(options)).finally(done)
        print(terminal, planned, options.dryRun === true)
        if (!options.dryRun) writeInit(planned)
        return {
          command: 'billing init',
          ok: true,
          exitCode: exit.done,
          models: planned.names,
          files: planned.added.changed.map(([file]) => file),
          migrations: planned.authored.migrations.map((one) => ({ ...one, path: shown(one.path) })),
          error: null,
        }
      },
    ),
  )

function print(terminal: Terminal, { added, authored, names, proved }: PlannedInit, isDry: boolean): void {
  for (const { provider, path, sql } of authored.migrations) {
    terminal.line(terminal.style('bold', `-- ${provider}: ${shown(path)}`))
    terminal.line(sql)
  }
  const renamed = Object.entries(names).filter(([name, chosen]) => name !== chosen)
  for (const [name, chosen] of renamed)
    terminal.line(`${name} is called ${chosen}, because its name is taken.`)
  terminal.line(`The migrations ran on an empty ${proved}.`)
  const files = added.changed.map(([file]) => file).join(', ')
  const providers = authored.migrations.map(({ provider }) => providerNames[provider]).join(' and ')
  terminal.line(
    isDry
      ? `Would change ${files}, and add ${authored.name} for ${providers}.`
      : `Changed ${files}, and added ${authored.name} for ${providers}. Next: outgrow schema deploy, then generate the clients.`,
  )
  if (renamed.length > 0)
    terminal.line('Name the renamed models in outgrow.config.ts, under billing.models, and in prismaStore.')
}

const shown = (path: string) => relative(process.cwd(), path)
