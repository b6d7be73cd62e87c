import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { Failure } from '@outgrow/kit'
import { refusedTypes } from '@outgrow/graduate'
import {
  authorMigrations,
  deployMigrations,
  generateSchemas,
  pullSchema,
  readSchemaSource,
  writeGenerated,
  writeMigrations,
  type Unsaid,
} from '@outgrow/schema'
import { exit } from '../output/exit.ts'
import { runCommand, type Outcome } from '../output/run.ts'
import { count } from '../output/terminal.ts'
import { sourceOf } from '../move-options.ts'

interface MigrateDocument extends Outcome {
  name: string | null
  migrations: { provider: string; path: string; sql: string }[]
  warnings: string[]
}

const migrateCommand = new Command('migrate')
  .summary('write one migration a database, side by side')
  .description(
    'Writes the difference between the last schema and this one as one migration for SQLite and one for Postgres, in Prisma Migrate’s layout. Shows both, and warns of what could lose data.',
  )
  .argument('<name>', 'what the migration does, such as add_votes')
  .option('--schema <path>', 'schema file or folder', 'prisma/schema.prisma')
  .option('--dry-run', 'show the SQL and write nothing')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText('after', '\nExample:\n  outgrow schema migrate add_votes')
  .action((name: string, options: { schema: string; dryRun?: boolean; json?: boolean }) =>
    runCommand<MigrateDocument>(
      options.json ?? false,
      { command: 'schema migrate', name: null, migrations: [], warnings: [] },
      async ({ terminal }) => {
        const generated = await generateSchemas({ schema: options.schema })
        if (!generated.dialects.ok) {
          throw new Failure({
            code: 'OUTGROW_SCHEMA_REFUSED',
            message: 'The schema uses what one of the databases does not have.',
            fix: 'Run outgrow generate, which says what and what to write instead.',
          })
        }
        const authored = await authorMigrations(generated, name)
        for (const { provider, path, sql } of authored.migrations) {
          terminal.line(terminal.style('bold', `-- ${provider}: ${relative(process.cwd(), path)}`))
          terminal.line(sql)
        }
        for (const warning of authored.warnings)
          terminal.line(`${terminal.style('yellow', 'warning')}  ${warning}`)
        if (!options.dryRun) {
          writeGenerated(generated)
          writeMigrations(generated, authored)
          terminal.line(
            `Wrote ${authored.name} for SQLite and Postgres. Apply it with outgrow schema deploy.`,
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

const deployCommand = new Command('deploy')
  .summary('apply the migrations that a database lacks')
  .description(
    'Applies migrations to the SQLite file or the Postgres that --to names, and keeps _prisma_migrations as Prisma does.',
  )
  .option('--to <url>', 'file: or Postgres URL (default: DATABASE_URL)')
  .option(
    '--schema <path>',
    'schema file or folder beside which sqlite/ and postgres/ lie',
    'prisma/schema.prisma',
  )
  .option('--json', 'print one JSON document on stdout')
  .addHelpText('after', '\nExample:\n  outgrow schema deploy --to file:./dev.db')
  .action((options: { to?: string; schema: string; json?: boolean }) =>
    runCommand<Outcome & { applied: string[] }>(
      options.json ?? false,
      { command: 'schema deploy', applied: [] },
      async ({ terminal }) => {
        const to = options.to ?? process.env.DATABASE_URL
        if (to === undefined || to === '') {
          throw new Failure({
            code: 'OUTGROW_OPTION_INVALID',
            message: 'There is no database to deploy to.',
            fix: 'Pass --to file:./dev.db or a Postgres URL, or set DATABASE_URL.',
          })
        }
        const { applied, provider } = await deployMigrations(readSchemaSource(options.schema).home, to)
        terminal.line(
          applied.length === 0 ? `The ${provider} database is up to date.` : `Applied ${applied.join(', ')}.`,
        )
        return { command: 'schema deploy', ok: true, exitCode: exit.done, applied, error: null }
      },
    ),
  )

const pullCommand = new Command('pull')
  .summary('write a Prisma schema for an SQLite file that has none')
  .description(
    'Reads tables, keys and every stored value of an SQLite file, and writes a Prisma schema with which it can be moved. What Prisma cannot say is listed with its SQL.',
  )
  .option('--from <file>', 'SQLite file, as file: URL or path (default: DATABASE_URL)')
  .option('--out <file>', 'where the schema goes; - for stdout', 'prisma/schema.prisma')
  .option('--force', 'overwrite an existing file')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText('after', '\nExample:\n  outgrow schema pull --from old.db --out old/schema.prisma')
  .action((options: { from?: string; out: string; force?: boolean; json?: boolean }) =>
    runCommand<Outcome & { output: string | null; schema: string; unsaid: Unsaid[] }>(
      options.json ?? false,
      { command: 'schema pull', output: null, schema: '', unsaid: [] },
      ({ terminal }) => {
        const { text, models, unsaid } = pullSchema(sourceOf(options), refusedTypes)
        if (options.out === '-') terminal.line(text)
        else writeSchema(options.out, text, options.force ?? false)
        for (const one of unsaid) {
          terminal.line(
            `${terminal.style('yellow', one.kind)} ${one.table}.${one.name} is not in the schema:`,
          )
          terminal.line(`    ${one.sql.replaceAll(/\s+/g, ' ')}`)
        }
        terminal.line(`${count(models)} models${options.out === '-' ? '' : ` in ${options.out}`}.`)
        return Promise.resolve({
          command: 'schema pull',
          ok: true,
          exitCode: exit.done,
          output: options.out === '-' ? null : options.out,
          schema: text,
          unsaid,
          error: null,
        })
      },
    ),
  )

function writeSchema(path: string, text: string, force: boolean): void {
  const absolute = resolve(path)
  if (existsSync(absolute) && !force) {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_EXISTS',
      message: `${path} exists already.`,
      fix: 'Pass another --out, or --force to overwrite it.',
    })
  }
  mkdirSync(dirname(absolute), { recursive: true })
  writeFileSync(absolute, text)
}

export const schemaCommand = new Command('schema')
  .summary('migrations for both databases, and schemas from files')
  .addCommand(migrateCommand)
  .addCommand(deployCommand)
  .addCommand(pullCommand)
