import { Command } from 'commander'
import { refuseUnswitchable, type Report } from '@outgrow/graduate'
import { abortMove, fillTarget, type FillOptions } from '../fill-target.ts'
import { sourceOf, withReader, withSharedOptions } from '../move-options.ts'
import { blankReport, outcome } from '../output/outcome.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { inspect } from './inspect.ts'

type MigrateOptions = FillOptions & { abort?: boolean; dryRun?: boolean; yes?: boolean }

export const migrateCommand = withReader(withSharedOptions(new Command('migrate')))
  .summary('move a whole SQLite database into an empty Postgres, verified')
  .description(
    'Moves every row of an SQLite file into Postgres: copies, builds keys, checks references, sets counters, compares both sides, and only then publishes everything in one transaction. Every row arrives exactly or is reported with the reason.',
  )
  .option(
    '--to <url>',
    'Postgres URL (default: POSTGRES_URL; without one, an embedded PostgreSQL under the work folder)',
  )
  .option('--resume', 'continue the unfinished run in the target')
  .option('--restart', 'undo the unfinished run and start over')
  .option('--abort', 'undo the unfinished run and do nothing else')
  .option('--dry-run', 'only check the source, as inspect does')
  .option('--accept-quarantine', 'switch even if rows were quarantined')
  .option(
    '--switch <file>',
    'if verified and no constraint is lost, point DATABASE_URL in this .env file at the target; the old line is kept as a comment',
  )
  .option(
    '--baseline',
    'write _prisma_migrations for an introspected schema too; other schemas always get it',
  )
  .option('--yes', 'do not ask')
  .addHelpText(
    'after',
    `
Examples:
  export POSTGRES_URL='postgresql://app:secret@db.example.com/app'   arguments are visible to everyone on the machine
  outgrow migrate --from file:./dev.db                to the Postgres at POSTGRES_URL
  outgrow migrate --from dev.db                       without it: into an embedded PostgreSQL, to try it
  outgrow migrate --from dev.db --fix boolean-words --fix orphans-null --switch .env
  outgrow migrate --from old.db --schema introspect --json

Exit status: 0 done and verified, 2 expected failure (the target is unchanged), 3 stopped, 4 done with findings.`,
  )
  .action((options: MigrateOptions) =>
    runCommand<Report>(options.json ?? false, blankReport('migrate'), (context) => migrate(options, context)),
  )

async function migrate(options: MigrateOptions, context: CommandContext): Promise<Report> {
  if (options.switch !== undefined) refuseUnswitchable(options.switch)
  if (options.dryRun) return { ...(await inspect(options, context)), command: 'migrate' }
  const from = sourceOf(options)
  if (!options.abort) return fillTarget({ command: 'migrate', from }, options, context)
  await abortMove(options, from, context)
  return outcome('migrate', blankReport('migrate'))
}
