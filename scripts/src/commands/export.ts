import { Command } from 'commander'
import { runExport, type Report } from '@outgrow/graduate'
import { sourceOf } from '../move-options.ts'
import { blankReport } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'
import { printExport } from '../render/export.ts'
import { countProgress } from '../render/progress.ts'

interface Options {
  from?: string
  dir: string
  json?: boolean
}

export const exportCommand = new Command('export')
  .summary('copy a live SQLite file into one consistent snapshot')
  .description(
    'Copies a live SQLite file, its -wal included, into a folder: snapshot.sqlite and manifest.json.',
  )
  .option('--from <file>', 'SQLite file, as file: URL or path (default: DATABASE_URL)')
  .requiredOption('--dir <folder>', 'folder to write the export to')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Example:
  outgrow export --from file:./dev.db --dir export
  outgrow transform --dir export
  outgrow import --dir export --to "$POSTGRES_URL"`,
  )
  .action((options: Options) =>
    runCommand<Report>(options.json ?? false, blankReport('export'), async ({ terminal, signal }) => {
      const progress = countProgress(terminal, 'pages')
      const report = await runExport({ from: sourceOf(options), directory: options.dir, signal, progress })
      printExport(terminal, report, options.dir)
      return report
    }),
  )
