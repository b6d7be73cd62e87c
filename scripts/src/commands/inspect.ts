import { Command } from 'commander'
import { runInspect, type InspectReport } from '@outgrow/graduate'
import { givenTarget, runSettings, sourceOf, withSharedOptions, type SharedOptions } from '../move-options.ts'
import { blankReport } from '../output/outcome.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { printInspection } from '../render/inspection.ts'
import { readingProgress } from '../render/progress.ts'

type InspectOptions = SharedOptions & { to?: string }
type InspectDocument = Omit<InspectReport, 'source'> & { source: InspectReport['source'] | null }

export const inspectCommand = withSharedOptions(new Command('inspect'))
  .summary('check an SQLite file before a move; changes nothing')
  .description(
    'Checks the whole file against the schema: version, journal, integrity, drift, every value that Postgres would reject (with its row), and what would be lost of the file’s structure. Changes nothing.',
  )
  .option(
    '--to <url>',
    'Postgres to move to: checked in a transaction that is rolled back (default: POSTGRES_URL, else an embedded PostgreSQL)',
  )
  .addHelpText(
    'after',
    `
Examples:
  outgrow inspect --from file:./app.db
  outgrow inspect --from app.db --schema introspect --json

Exit status: 0 no findings, 2 the file or the schema cannot be read, 4 findings.`,
  )
  .action((options: InspectOptions) =>
    runCommand<InspectDocument>(
      options.json ?? false,
      { ...blankReport('inspect'), source: null },
      (context) => inspect(options, context),
    ),
  )

/** Inspects and prints what was found. */
export async function inspect(
  options: InspectOptions,
  { terminal, signal }: CommandContext,
): Promise<InspectReport> {
  const settings = runSettings(options, sourceOf(options), signal)
  const to = await givenTarget(options.to)
  const reading = readingProgress(terminal, 'Preparing the schema and a Postgres to check against')
  const report = await runInspect({ ...settings, to, progress: reading.progress }).finally(reading.done)
  printInspection(terminal, report)
  return report
}
