import { Command } from 'commander'
import { openRendered, type Report } from '@outgrow/graduate'
import { runCommand } from '../output/run.ts'
import { withSharedOptions } from '../move-options.ts'
import { fillTarget, targetOf, type MigrateOptions } from './migrate.ts'

export const importCommand = withSharedOptions(new Command('import'))
  .summary('load a transformed export into an empty Postgres, verified')
  .description(
    'Creates the tables, loads the files, builds keys and indexes, checks references, sets counters, compares digests, and publishes everything in one transaction. Uses the rules and skips given to transform.',
  )
  .requiredOption('--dir <folder>', 'folder that export and transform wrote')
  .option('--to <url>', 'Postgres URL (default: POSTGRES_URL, else an embedded PostgreSQL)')
  .option('--resume', 'continue the unfinished run in the target')
  .option('--restart', 'undo the unfinished run and start over')
  .option('--accept-quarantine', 'switch even if rows were quarantined')
  .option('--switch <file>', 'if verified, point DATABASE_URL in this .env file at the target')
  .addHelpText(
    'after',
    `
Example:
  POSTGRES_URL=postgresql://… outgrow import --dir export

Exit status: 0 done and verified, 2 expected failure, 3 stopped, 4 done with findings.`,
  )
  .action((options: MigrateOptions & { dir: string }) => {
    const blank = { command: 'import', tables: [], findings: [], fixes: [], steps: [] }
    return runCommand<Report>(options.json ?? false, blank, async (context) => {
      const rendered = openRendered(options.dir)
      const from = rendered.snapshot
      const target = await targetOf(options, from, context.terminal)
      return fillTarget({ command: 'import', from, rendered }, options, target, context)
    })
  })
