import { Command } from 'commander'
import { chooseVerifyTarget, exportedSource, runVerify, type Report } from '@outgrow/graduate'
import { givenTarget, runSettings, sourceOf, withSharedOptions, type SharedOptions } from '../move-options.ts'
import { blankReport } from '../output/outcome.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { readingProgress } from '../render/progress.ts'
import { printVerification } from '../render/verification.ts'

type Options = SharedOptions & { to?: string; dir?: string; deep?: boolean }

export const verifyCommand = withSharedOptions(new Command('verify'))
  .summary('compare both databases, independently of the copy')
  .description(
    'Reads SQLite afresh while the server hashes its own rows, and compares count and digest of every table; if they differ, names the rows and columns. Rules, skips and quarantined rows come from the recorded run.',
  )
  .option('--to <url>', 'Postgres URL (default: POSTGRES_URL, else the embedded PostgreSQL)')
  .option('--dir <folder>', 'compare with the snapshot that export wrote, instead of --from')
  .option(
    '--deep',
    'have every row of Postgres come back and compare its bytes here, instead of the server’s hashes',
  )
  .addHelpText(
    'after',
    `
Examples:
  POSTGRES_URL=postgresql://… outgrow verify --from file:./dev.db
  outgrow verify --dir export --to "$POSTGRES_URL" --json
  outgrow verify --deep

Exit status: 0 equal, 2 cannot be compared, 4 they differ.`,
  )
  .action((options: Options) =>
    runCommand<Report>(options.json ?? false, blankReport('verify'), (context) => verify(options, context)),
  )

/** Compares and prints what differs. */
export async function verify(options: Options, { terminal, signal }: CommandContext): Promise<Report> {
  const from = options.dir === undefined ? sourceOf(options) : exportedSource(options.dir)
  const settings = runSettings(options, from, signal)
  const to = await chooseVerifyTarget({ to: await givenTarget(options.to), from, workDir: options.workDir })
  const reading = readingProgress(terminal, 'Preparing the schema')
  const verified = await runVerify({
    ...settings,
    to,
    readsBack: options.deep,
    progress: reading.progress,
  }).finally(reading.done)
  printVerification(terminal, verified)
  return verified.report
}
