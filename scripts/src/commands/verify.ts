import { Command } from 'commander'
import { exit, Failure } from '@outgrow/kit'
import { verify, type Report } from '@outgrow/graduate'
import { printFindings, printTables } from '../output/findings.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { count, duration } from '../output/terminal.ts'
import { withJournal } from '../journal.ts'
import {
  givenTarget,
  moveOptions,
  schemaOf,
  sourceOf,
  withSharedOptions,
  type SharedOptions,
} from '../move-options.ts'
import { exportedSource } from '../exported-source.ts'
import { findTrialDatabase } from '../trial-databases.ts'

interface Options extends SharedOptions {
  to?: string
  dir?: string
}

export const verifyCommand = withSharedOptions(new Command('verify'))
  .summary('compare both databases, independently of the copy')
  .description(
    'Reads SQLite and Postgres afresh and compares count and digest of every table; if they differ, names the rows and columns. Rules, skips and quarantined rows come from the recorded run.',
  )
  .option('--to <url>', 'Postgres URL (default: POSTGRES_URL, else the embedded PostgreSQL)')
  .option('--dir <folder>', 'compare with the snapshot that export wrote, instead of --from')
  .addHelpText(
    'after',
    `
Examples:
  POSTGRES_URL=postgresql://… outgrow verify --from file:./dev.db
  outgrow verify --dir export --to "$POSTGRES_URL" --json

Exit status: 0 equal, 2 cannot be compared, 4 they differ.`,
  )
  .action((options: Options) =>
    runCommand<Report>(
      options.json ?? false,
      { command: 'verify', tables: [], findings: [], fixes: [], steps: [] },
      (context) => runVerify(options, context),
    ),
  )

export async function runVerify(options: Options, context: CommandContext): Promise<Report> {
  const from = options.dir === undefined ? sourceOf(options) : exportedSource(options.dir)
  const to = await verifyTarget(options, from)
  const request = { workDir: options.workDir, command: 'verify', from, to, signal: context.signal }
  return withJournal(request, () => compare(options, from, to, context))
}

async function compare(
  options: Options,
  from: string,
  to: string,
  { terminal, signal }: CommandContext,
): Promise<Report> {
  const ready = terminal.busy('Preparing the schema')
  const { tables, findings, notes, ms } = await verify({
    from,
    to,
    schema: schemaOf({ ...options, from }),
    options: moveOptions(options),
    progress: ({ rows, totalRows }) => {
      ready()
      terminal.progress(() => `read ${count(rows)} of about ${count(totalRows)} rows`)
    },
    signal,
  }).finally(ready)
  printTables(terminal, tables)
  for (const note of notes) terminal.line(note)
  printFindings(terminal, findings)
  const rows = tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  const equal = tables.every(({ digestMatch }) => digestMatch)
  const ok = equal && findings.length === 0
  terminal.line(
    equal
      ? `${terminal.style('green', 'Equal')}: ${count(rows)} rows in ${tables.length} tables, ${duration(ms)}.`
      : `${terminal.style('red', 'Different')}: see the rows above.`,
  )
  return {
    command: 'verify',
    ok,
    exitCode: ok ? exit.done : exit.findings,
    tables,
    findings,
    fixes: [],
    steps: [{ name: 'verify', ms: Math.round(ms), rows, bytes: 0 }],
    error: null,
  }
}

async function verifyTarget({ to, workDir }: Options, from: string): Promise<string> {
  const given = givenTarget(to)
  if (given !== undefined) return given
  const embedded = await findTrialDatabase(workDir, from, 'published')
  if (embedded) return embedded.url
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No target was given to compare with.',
    fix: 'Pass --to with a Postgres URL, or set POSTGRES_URL.',
  })
}
