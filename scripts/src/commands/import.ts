import { Command } from 'commander'
import { openRendered, type Report } from '@outgrow/graduate'
import { fillTarget, type FillOptions } from '../fill-target.ts'
import { withSharedOptions } from '../move-options.ts'
import { blankReport } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'

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
  .action((options: FillOptions & { dir: string }) =>
    runCommand<Report>(options.json ?? false, blankReport('import'), (context) => {
      const rendered = openRendered(options.dir)
      return fillTarget({ command: 'import', from: rendered.snapshot, rendered }, options, context)
    }),
  )
