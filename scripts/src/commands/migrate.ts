import { Command } from 'commander'
import { startEmbeddedPostgres, withPostgres, parsePostgresUrl } from '@outgrow/databases'
import { redactUrl } from '@outgrow/kit'
import {
  BadSource,
  dropStaging,
  findRuns,
  migrate,
  type JournalWriter,
  type MoveResult,
  type Rendered,
  type Report,
  writeQuarantineFile,
} from '@outgrow/graduate'
import { join, relative } from 'node:path'
import { exit } from '../output/exit.ts'
import { tellFindings, tellFixes, tellTables } from '../output/findings.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { count, duration, size, type Terminal } from '../output/terminal.ts'
import { withJournal } from '../journal.ts'
import { moveOptions, schemaOf, sourceOf, withSharedOptions, type SharedOptions } from '../move-options.ts'
import { stateDirectory } from '../state-directory.ts'
import { switchConnection } from '../switch-connection.ts'
import { inspectForDryRun } from './inspect.ts'

export interface MigrateOptions extends SharedOptions {
  to?: string
  resume?: boolean
  restart?: boolean
  abort?: boolean
  dryRun?: boolean
  acceptQuarantine?: boolean
  switch?: string
  yes?: boolean
}

const blank = { command: 'migrate', tables: [], findings: [], fixes: [], steps: [] }

/** What differs between the commands that fill a target. */
interface Filling {
  command: 'migrate' | 'import'
  from: string
  rendered?: Rendered | undefined
}

export const migrateCommand = withSharedOptions(new Command('migrate'))
  .summary('move a whole SQLite database into an empty Postgres, verified')
  .description(
    'Moves every row of an SQLite file into Postgres: copies, builds keys, checks references, sets counters, compares both sides, and only then publishes everything in one transaction. Every row arrives exactly, or is named with the reason.',
  )
  .option(
    '--to <url>',
    'Postgres URL (default: POSTGRES_URL; without one, an embedded PostgreSQL under the work folder)',
  )
  .option('--resume', 'go on with the unfinished run in the target')
  .option('--restart', 'take the unfinished run back and begin again')
  .option('--abort', 'take the unfinished run back and do nothing else')
  .option('--dry-run', 'only look at the source, as inspect does')
  .option('--accept-quarantine', 'switch even though rows were set aside')
  .option(
    '--switch <file>',
    'when verified, point DATABASE_URL in this .env file at the target; the old line is kept',
  )
  .option('--yes', 'do not ask')
  .addHelpText(
    'after',
    `
Examples:
  outgrow migrate --from file:./dev.db --to postgresql://app:secret@db.example.com/app
  outgrow migrate --from dev.db                       into an embedded PostgreSQL, to try it
  outgrow migrate --from dev.db --fix boolean-words --fix orphans-null --switch .env
  outgrow migrate --from old.db --schema introspect --json

Exit status: 0 done and verified, 2 expected failure (the target is as it was), 3 stopped, 4 done with findings.`,
  )
  .action((options: MigrateOptions) =>
    runCommand<Report>(options.json ?? false, blank, (context) => runMigrate(options, context)),
  )

async function runMigrate(options: MigrateOptions, context: CommandContext): Promise<Report> {
  const { terminal } = context
  if (options.dryRun) return { ...(await inspectForDryRun(options, context)), command: 'migrate' }
  const to = await targetOf(options, terminal)
  if (options.abort) return abort(to, terminal)
  return fillTarget({ command: 'migrate', from: sourceOf(options) }, options, to, context)
}

/** Moves into the target and reports; `import` does the same from files. */
export function fillTarget(
  filling: Filling,
  options: MigrateOptions,
  to: string,
  context: CommandContext,
): Promise<Report> {
  const { command, from } = filling
  return withJournal({ workDir: options.workDir, command, from, to, signal: context.signal }, (journal) =>
    fill(filling, options, to, context, journal),
  )
}

async function fill(
  { command, from, rendered }: Filling,
  options: MigrateOptions,
  to: string,
  context: CommandContext,
  journal: JournalWriter | undefined,
): Promise<Report> {
  const { terminal } = context
  const showProgress = copyProgress(terminal)
  const started = performance.now()
  const told = rendered?.options ?? moveOptions(options)
  let result: MoveResult
  try {
    result = await migrate({
      from,
      to,
      rendered,
      schema: schemaOf({ ...options, from }),
      options: told,
      unfinished: options.restart ? 'restart' : options.resume ? 'resume' : 'refuse',
      signal: context.signal,
      onStep: (name, at, of) => {
        terminal.line(`${terminal.style('bold', `STEP ${at} of ${of}`)}  ${name}`)
        journal?.step(name, at, of)
      },
      progress: (event) => {
        showProgress(event)
        journal?.progress(event)
      },
    })
  } catch (error) {
    if (error instanceof BadSource) return { ...badSource(error.result, terminal), command }
    throw error
  }
  return { ...(await finished(options, to, result, performance.now() - started, terminal)), command }
}

/** The URL to move to; the embedded server goes on running, since the rows are in it. */
export async function targetOf(options: MigrateOptions, terminal: Terminal): Promise<string> {
  const given = options.to ?? process.env.POSTGRES_URL
  if (given !== undefined && given !== '') return parsePostgresUrl(given).url.href
  const server = await startEmbeddedPostgres({ directory: join(stateDirectory(options.workDir), 'postgres') })
  terminal.line(
    `No --to given: using the embedded PostgreSQL in ${options.workDir}/postgres. It keeps running; \`outgrow postgres stop\` ends it.`,
  )
  return server.url
}

async function abort(to: string, terminal: Terminal): Promise<Report> {
  const dropped = await withPostgres(to, async (client) => {
    const runs = (await findRuns(client)).filter(({ status }) => status !== 'published')
    for (const { staging } of runs) await dropStaging(client, staging)
    return runs.map(({ staging }) => staging.run)
  })
  terminal.line(
    dropped.length === 0
      ? 'There is no unfinished run in the target.'
      : `Took back ${dropped.join(', ')}. The target is as it was.`,
  )
  return { ...blank, ok: true, exitCode: exit.done, error: null }
}

function copyProgress(terminal: Terminal) {
  const started = performance.now()
  return ({ rows, bytes, totalRows }: { rows: number; bytes: number; totalRows: number }) =>
    terminal.progress(() => {
      const seconds = (performance.now() - started) / 1000
      const share = totalRows === 0 ? 1 : Math.min(1, rows / totalRows)
      const filled = Math.round(share * 24)
      const left = share > 0.02 && share < 1 ? `, ${duration((seconds / share - seconds) * 1000)} left` : ''
      return `${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${count(rows)} rows, ${size(bytes / seconds)}/s${left}`
    })
}

function badSource(result: MoveResult, terminal: Terminal): Report {
  const { tables, findings, fixes, steps } = result
  terminal.line()
  tellFindings(terminal, findings)
  const error = {
    code: 'OUTGROW_BAD_VALUES',
    message: `${count(findings.reduce((sum, finding) => sum + finding.count, 0))} values cannot be moved as they are. The target is as it was.`,
    why: 'Nothing is changed or dropped in silence.',
    fix: 'Correct the source, name the rules that apply with --fix, or set the rows aside with --on-bad-value quarantine.',
  }
  terminal.line(`${terminal.style('red', error.code)}  ${error.message}`)
  terminal.line(`  fix: ${error.fix}`)
  return { command: 'migrate', ok: false, exitCode: exit.expected, tables, findings, fixes, steps, error }
}

async function finished(
  options: MigrateOptions,
  to: string,
  result: MoveResult,
  ms: number,
  terminal: Terminal,
): Promise<Report> {
  const { tables, fixes, steps } = result
  const findings = [...result.findings]
  if (result.advanced) {
    findings.push({
      code: 'OUTGROW_SOURCE_ADVANCED',
      table: null,
      column: null,
      count: 1,
      keys: [],
      storage: null,
      excerpt: null,
      reason: 'The source was written to after the snapshot: the target lacks those rows',
      fixes: ['stop the application, empty the target and run the command again'],
    })
  }
  const rows = tables.reduce((sum, { targetRows }) => sum + targetRows, 0)
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0)
  const quarantined = tables.some(({ quarantinedRows }) => quarantinedRows > 0)
  terminal.line()
  tellTables(terminal, tables)
  for (const note of result.notes) terminal.line(note)
  tellFixes(terminal, fixes)
  tellFindings(terminal, findings)
  terminal.line()
  terminal.line(
    `${terminal.style('green', 'Verified')}: ${count(rows)} rows in ${tables.length} tables, ${size(bytes)}, ${duration(ms)}. Every digest is equal.`,
  )
  if (quarantined) {
    const file = join(stateDirectory(options.workDir), `quarantine-${result.run}.ndjson`)
    await writeQuarantineFile(to, file)
    terminal.line(
      `Rows that were set aside are in the target's table _outgrow_quarantine, and in ${relative(process.cwd(), file)}.`,
    )
  }
  const maySwitch = !result.advanced && (!quarantined || options.acceptQuarantine === true)
  if (options.switch === undefined) terminal.line(`Point DATABASE_URL at ${redactUrl(to)} to switch.`)
  else if (maySwitch) terminal.line(switchConnection(options.switch, to))
  else
    terminal.line(
      `${options.switch} was not changed: see the findings${quarantined ? ', or pass --accept-quarantine' : ''}.`,
    )
  const settled = findings.length === 0 && !quarantined
  return {
    command: 'migrate',
    ok: true,
    exitCode: settled ? exit.done : exit.findings,
    tables,
    findings,
    fixes,
    steps,
    error: null,
  }
}
