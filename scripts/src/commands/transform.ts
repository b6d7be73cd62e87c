import { Command } from 'commander'
import { exportedSource, runTransform, type Report } from '@outgrow/graduate'
import { givenTarget, runSettings, withSharedOptions, type SharedOptions } from '../move-options.ts'
import { blankReport } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'
import { countProgress } from '../render/progress.ts'
import { printTransformation } from '../render/transformation.ts'

type Options = SharedOptions & { dir: string; to?: string }

export const transformCommand = withSharedOptions(new Command('transform'))
  .summary('turn an export into files that Postgres can load')
  .description(
    'Converts every value of an exported snapshot by the rules, and writes one binary COPY file per table. Bad rows stop it, or go to quarantine.ndjson.',
  )
  .requiredOption('--dir <folder>', 'folder that export wrote')
  .option(
    '--to <url>',
    'Postgres to load into: checked in a transaction that is rolled back (default: POSTGRES_URL, else an embedded PostgreSQL)',
  )
  .addHelpText(
    'after',
    `
Example:
  outgrow transform --dir export --fix boolean-words

Exit status: 0 done, 2 bad values (nothing can be imported), 4 done with rows quarantined.`,
  )
  .action((options: Options) =>
    runCommand<Report>(options.json ?? false, blankReport('transform'), async ({ terminal, signal }) => {
      const settings = runSettings(options, exportedSource(options.dir), signal)
      const to = await givenTarget(options.to)
      const progress = countProgress(terminal, 'rows')
      const report = await runTransform({ ...settings, directory: options.dir, to, progress })
      printTransformation(terminal, report)
      return report
    }),
  )
