import { Command } from 'commander'
import { transformSnapshot, type Report } from '@outgrow/graduate'
import { exit } from '@outgrow/kit'
import { exportedSource } from '../exported-source.ts'
import { printFindings, printFixes } from '../output/findings.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { count, duration } from '../output/terminal.ts'
import { withPostgresForChecks } from '../postgres-for-checks.ts'
import { moveOptions, schemaOf, withSharedOptions, type SharedOptions } from '../move-options.ts'

interface Options extends SharedOptions {
  dir: string
  to?: string
}

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
    runCommand<Report>(
      options.json ?? false,
      { command: 'transform', tables: [], findings: [], fixes: [], steps: [] },
      (context) => runTransform(options, context),
    ),
  )

async function runTransform(options: Options, { terminal, signal }: CommandContext): Promise<Report> {
  const started = performance.now()
  const from = exportedSource(options.dir)
  const rules = moveOptions(options)
  const schema = schemaOf({ ...options, from })
  const { transformed } = await withPostgresForChecks(options, (at) =>
    transformSnapshot({
      directory: options.dir,
      at,
      schema,
      options: rules,
      signal,
      progress: ({ rows, totalRows }) =>
        terminal.progress(() => `${count(rows)} of ${count(totalRows)} rows`),
    }),
  )
  const { tables, findings, fixes } = transformed as NonNullable<typeof transformed>
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const ms = Math.round(performance.now() - started)
  printFixes(terminal, fixes)
  printFindings(terminal, findings)
  const stopped = findings.length > 0 && options.onBadValue === 'stop'
  terminal.line(
    stopped
      ? 'Bad values prevent the import: see above.'
      : `Wrote ${count(rows)} rows in ${tables.length} files, ${duration(ms)}.`,
  )
  return {
    command: 'transform',
    ok: !stopped,
    exitCode: stopped ? exit.expected : findings.length > 0 ? exit.findings : exit.done,
    tables: tables.map((table) => ({
      table: table.table,
      sourceRows: table.rowsRead,
      targetRows: 0,
      quarantinedRows: table.rowsRead - table.rows,
      digestMatch: false,
    })),
    findings,
    fixes,
    steps: [{ name: 'transform', ms, rows, bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0) }],
    error: stopped
      ? {
          code: 'OUTGROW_BAD_VALUES',
          message: 'The export contains values that cannot be moved as they are.',
          why: null,
          fix: 'Name the rules that apply with --fix, or quarantine the rows with --on-bad-value quarantine.',
        }
      : null,
  }
}
