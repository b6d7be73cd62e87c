import { Command } from 'commander'
import { openSqliteReadonly } from '@outgrow/databases'
import { inspectSource, type Inspection, type JournalWriter, type Report } from '@outgrow/graduate'
import { exit } from '@outgrow/kit'
import { printFindings, printFixes } from '../output/findings.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { count, duration, size, textTable } from '../output/terminal.ts'
import { withJournal } from '../journal.ts'
import { withPostgresForChecks } from '../postgres-for-checks.ts'
import { moveOptions, schemaOf, sourceOf, withSharedOptions, type SharedOptions } from '../move-options.ts'

export interface InspectOptions extends SharedOptions {
  to?: string
}

type InspectDocument = Report & { source: Omit<Inspection, 'tables' | 'findings' | 'fixes'> | null }

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
      { command: 'inspect', tables: [], findings: [], fixes: [], steps: [], source: null },
      (context) => inspectForDryRun(options, context),
    ),
  )

export async function inspectForDryRun(
  options: InspectOptions,
  context: CommandContext,
): Promise<InspectDocument> {
  const request = {
    workDir: options.workDir,
    command: 'inspect',
    from: sourceOf(options),
    signal: context.signal,
  }
  return withJournal(request, (journal) => inspect(options, context, journal))
}

async function inspect(
  options: InspectOptions,
  { terminal, signal }: CommandContext,
  journal: JournalWriter | undefined,
): Promise<InspectDocument> {
  const started = performance.now()
  const rules = moveOptions(options)
  openSqliteReadonly(sourceOf(options)).close() // said before a server is started for it
  const schema = schemaOf(options)
  const ready = terminal.busy('Preparing the schema and a Postgres to check against')
  const inspection = await withPostgresForChecks(options, (at) =>
    inspectSource({
      from: sourceOf(options),
      at,
      schema,
      options: rules,
      signal,
      progress: (event) => {
        ready()
        journal?.progress(event)
        terminal.progress(() => `read ${count(event.rows)} of about ${count(event.totalRows)} rows`)
      },
    }),
  ).finally(ready)
  const { tables, findings, fixes, ...source } = inspection
  const rows = tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  terminal.line(
    `SQLite ${source.sqliteVersion}, ${source.journalMode} journal, ${source.encoding}, ${size(source.sizeBytes)}${source.walBytes > 0 ? ` and ${size(source.walBytes)} in -wal` : ''}, integrity ${source.integrity}`,
  )
  for (const line of textTable(
    ['table', 'rows', 'bad'],
    tables
      .filter(({ sourceRows }) => sourceRows > 0)
      .map((table) => [table.table, table.sourceRows, table.quarantinedRows]),
  )) {
    terminal.line(`  ${line}`)
  }
  for (const note of source.notes) terminal.line(note)
  printFixes(terminal, fixes)
  printFindings(terminal, findings)
  terminal.line(
    findings.length === 0
      ? `${count(rows)} rows, no findings. The move takes about ${duration(source.estimatedMs)}.`
      : `${count(rows)} rows, ${count(findings.length)} findings. Nothing was changed.`,
  )
  return {
    command: 'inspect',
    ok: findings.length === 0,
    exitCode: findings.length === 0 ? exit.done : exit.findings,
    tables,
    findings,
    fixes,
    steps: [{ name: 'inspect', ms: Math.round(performance.now() - started), rows, bytes: source.sizeBytes }],
    source,
    error: null,
  }
}
