import { Command } from 'commander'
import { withPostgres } from '@outgrow/databases'
import { exit, Failure, redactUrl } from '@outgrow/kit'
import {
  MoveStopped,
  dropRun,
  findingOf,
  findRuns,
  lockTarget,
  migrate,
  type JournalWriter,
  type MoveResult,
  type Rendered,
  type Report,
  writeQuarantineFile,
} from '@outgrow/graduate'
import { join, relative } from 'node:path'
import { printFindings, printFixes, printTables } from '../output/findings.ts'
import { runCommand, type CommandContext } from '../output/run.ts'
import { count, duration, size, type Terminal } from '../output/terminal.ts'
import { withJournal } from '../journal.ts'
import {
  givenTarget,
  moveOptions,
  schemaOf,
  sourceOf,
  withSharedOptions,
  type SharedOptions,
} from '../move-options.ts'
import { dropTrialDatabase, findTrialDatabase, newTrialDatabase } from '../trial-databases.ts'
import { stateDirectory } from '../state-directory.ts'
import { switchChecklist } from '../switch-checklist.ts'
import { refuseUnswitchable, switchConnection } from '../switch-connection.ts'
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
  baseline?: boolean
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
    'Moves every row of an SQLite file into Postgres: copies, builds keys, checks references, sets counters, compares both sides, and only then publishes everything in one transaction. Every row arrives exactly or is reported with the reason.',
  )
  .option(
    '--to <url>',
    'Postgres URL (default: POSTGRES_URL; without one, an embedded PostgreSQL under the work folder)',
  )
  .option('--resume', 'continue the unfinished run in the target')
  .option('--restart', 'undo the unfinished run and start over')
  .option('--abort', 'undo the unfinished run and do nothing else')
  .option('--dry-run', 'only check the source, as inspect does')
  .option('--accept-quarantine', 'switch even if rows were quarantined')
  .option(
    '--switch <file>',
    'if verified and no constraint is lost, point DATABASE_URL in this .env file at the target; the old line is kept as a comment',
  )
  .option(
    '--baseline',
    'write _prisma_migrations for an introspected schema too; other schemas always get it',
  )
  .option('--yes', 'do not ask')
  .addHelpText(
    'after',
    `
Examples:
  export POSTGRES_URL='postgresql://app:secret@db.example.com/app'   arguments are visible to everyone on the machine
  outgrow migrate --from file:./dev.db                to the Postgres at POSTGRES_URL
  outgrow migrate --from dev.db                       without it: into an embedded PostgreSQL, to try it
  outgrow migrate --from dev.db --fix boolean-words --fix orphans-null --switch .env
  outgrow migrate --from old.db --schema introspect --json

Exit status: 0 done and verified, 2 expected failure (the target is unchanged), 3 stopped, 4 done with findings.`,
  )
  .action((options: MigrateOptions) =>
    runCommand<Report>(options.json ?? false, blank, (context) => runMigrate(options, context)),
  )

async function runMigrate(options: MigrateOptions, context: CommandContext): Promise<Report> {
  const { terminal } = context
  if (options.switch !== undefined) refuseUnswitchable(options.switch)
  if (options.dryRun) return { ...(await inspectForDryRun(options, context)), command: 'migrate' }
  const from = sourceOf(options)
  const target = await targetOf(options, from, terminal)
  if (options.abort) return abort(target.url, terminal)
  return fillTarget({ command: 'migrate', from }, options, target, context)
}

/** Moves into the target and reports; `import` does the same from files. */
export function fillTarget(
  filling: Filling,
  options: MigrateOptions,
  target: Target,
  context: CommandContext,
): Promise<Report> {
  const { command, from } = filling
  const request = { workDir: options.workDir, command, from, to: target.url, signal: context.signal }
  return withJournal(request, async (journal) => {
    try {
      return await fill(filling, options, target.url, context, journal)
    } finally {
      // What the move says counts: a server that is gone by now is named there, and `outgrow postgres list` shows the rest.
      await dropUntouched(options.workDir, target).catch(() => {})
    }
  })
}

/** A database that was made for a move, and into which nothing came, is of no use. */
async function dropUntouched(workDir: string, { url, made }: Target): Promise<void> {
  if (made === undefined) return
  const runs = await withPostgres(url, findRuns)
  if (runs.length === 0) await dropTrialDatabase(workDir, made)
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
  const moveSettings = rendered?.options ?? moveOptions(options)
  let result: MoveResult
  const ready = terminal.busy('Preparing the schema and the target')
  try {
    result = await migrate({
      from,
      to,
      rendered,
      schema: schemaOf({ ...options, from }),
      options: moveSettings,
      writesHistory: options.schema !== 'introspect' || options.baseline === true,
      unfinished: options.restart ? 'restart' : options.resume ? 'resume' : 'refuse',
      signal: context.signal,
      onStep: (name, at, of) => {
        ready()
        terminal.line(`${terminal.style('bold', `STEP ${at} of ${of}`)}  ${name}`)
        journal?.step(name, at, of)
      },
      progress: (event) => {
        showProgress(event)
        journal?.progress(event)
      },
    })
  } catch (error) {
    if (error instanceof MoveStopped) return { ...badValuesReport(error.result, terminal), command }
    throw error
  } finally {
    ready()
  }
  return { ...(await finished(options, to, result, performance.now() - started, terminal)), command }
}

/** Where a move goes. */
export interface Target {
  url: string
  /** Name of the embedded server's database, when it was made for this move. */
  made: string | undefined
}

/** The embedded server goes on running, since the rows are in it. */
export async function targetOf(options: MigrateOptions, from: string, terminal: Terminal): Promise<Target> {
  const given = givenTarget(options.to)
  if (given !== undefined) return { url: given, made: undefined }
  const { workDir } = options
  if (options.resume || options.restart || options.abort) {
    const unfinished = await findTrialDatabase(workDir, from, 'unfinished')
    if (unfinished) return { url: unfinished.url, made: undefined }
    if (options.abort || options.resume) throw nothingUnfinished(from)
  }
  const { name, url } = await newTrialDatabase(workDir, from)
  terminal.line(
    `No --to given: moving into ${name}, a new database of the embedded PostgreSQL in ${workDir}/postgres. It keeps running; \`outgrow postgres\` can list, drop and stop it.`,
  )
  return { url, made: name }
}

function nothingUnfinished(from: string): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `The embedded PostgreSQL has no unfinished run of ${from}.`,
    fix: 'See outgrow postgres list, or name the target with --to.',
  })
}

async function abort(to: string, terminal: Terminal): Promise<Report> {
  const dropped = await withPostgres(to, async (client) => {
    await lockTarget(client)
    const runs = (await findRuns(client)).filter(({ status }) => status !== 'published')
    for (const { staging } of runs) await dropRun(client, staging)
    return runs.map(({ staging }) => staging.run)
  })
  terminal.line(
    dropped.length === 0
      ? 'There is no unfinished run in the target.'
      : `Undid ${dropped.join(', ')}. The target is as it was before.`,
  )
  return { ...blank, ok: true, exitCode: exit.done, error: null }
}

function copyProgress(terminal: Terminal) {
  const started = performance.now()
  let furthest = 0
  return ({ rows, bytes, totalRows }: { rows: number; bytes: number; totalRows: number }) =>
    terminal.progress(() => {
      const seconds = (performance.now() - started) / 1000
      const share = Math.max(furthest, totalRows === 0 ? 1 : Math.min(1, rows / totalRows))
      furthest = share
      const filled = Math.round(share * 24)
      const left = share > 0.02 && share < 1 ? `, ${duration((seconds / share - seconds) * 1000)} left` : ''
      return `${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${count(rows)} rows, ${size(bytes / seconds)}/s${left}`
    })
}

function badValuesReport(result: MoveResult, terminal: Terminal): Report {
  const { tables, findings, fixes, steps } = result
  terminal.line()
  printFindings(terminal, findings)
  const error = {
    code: 'OUTGROW_BAD_VALUES',
    message: `${count(findings.reduce((sum, finding) => sum + finding.count, 0))} values cannot be moved as they are. The target is unchanged.`,
    why: 'No value is changed or dropped silently.',
    fix: 'Correct the source, name the rules that apply with --fix, or quarantine the rows with --on-bad-value quarantine.',
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
    findings.push(
      findingOf({
        code: 'OUTGROW_SOURCE_ADVANCED',
        table: null,
        count: Math.max(1, result.laterRows),
        reason:
          result.laterRows > 0
            ? 'were added to the source after the snapshot and are not in the target'
            : 'were changed in the source after the snapshot; the target has the earlier values',
        fixes: ['stop the application, empty the target and run the command again'],
      }),
    )
  }
  const rows = tables.reduce((sum, { targetRows }) => sum + targetRows, 0)
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0)
  const equal = tables.every(({ digestMatch }) => digestMatch)
  const quarantined = tables.some(({ quarantinedRows }) => quarantinedRows > 0)
  terminal.line()
  printTables(terminal, tables)
  for (const note of result.notes) terminal.line(note)
  printFixes(terminal, fixes)
  printFindings(terminal, findings)
  terminal.line()
  terminal.line(
    equal
      ? `${terminal.style('green', 'Verified')}: ${count(rows)} rows in ${tables.length} tables${bytes > 0 ? `, ${size(bytes)}` : ''}, ${duration(ms)}. Every digest is equal.`
      : `${terminal.style('red', 'Different')}: see the findings above.`,
  )
  if (quarantined) {
    const file = join(stateDirectory(options.workDir), `quarantine-${result.run}.ndjson`)
    await writeQuarantineFile(to, file)
    terminal.line(
      `Quarantined rows are in the target’s table _outgrow_quarantine and in ${relative(process.cwd(), file)}.`,
    )
  }
  const isWhole = findings.every(({ code }) => code !== 'OUTGROW_CONSTRAINT_LOST')
  const maySwitch =
    equal && isWhole && !result.advanced && (!quarantined || options.acceptQuarantine === true)
  if (options.switch === undefined) {
    if (!result.advanced) terminal.line(`Point DATABASE_URL at ${redactUrl(to)} to switch.`)
  } else if (maySwitch) {
    terminal.line(switchConnection(options.switch, to))
    for (const line of switchChecklist(options.schema)) terminal.line(line)
  } else
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
