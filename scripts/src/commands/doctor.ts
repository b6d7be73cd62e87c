import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { exit, Failure } from '@outgrow/kit'
import type { Examination } from '@outgrow/signs'
import { databaseUrl } from '../billing/context.ts'
import { examineDatabase } from '../doctor/examine-database.ts'
import { printExamination } from '../render/examination.ts'
import type { Outcome } from '../output/outcome.ts'
import { runCommand, type CommandContext } from '../output/run.ts'

interface Options {
  database?: string
  window: string
  watch?: boolean
  workDir: string
  json?: boolean
}

export type DoctorDocument = Outcome & { examination: Examination | null }

export const doctorCommand = new Command('doctor')
  .summary('the warning signs of a live database, measured and judged')
  .description(
    'Looks at a live SQLite file or Postgres from outside for a few seconds, adds what the client counted inside the application, and judges each sign. Writes nothing to the database; on SQLite it takes the write lock for microseconds at a time.',
  )
  .option('--database <url>', 'file: or postgresql: URL (default: DATABASE_URL)')
  .option('--window <seconds>', 'how long to measure', '5')
  .option('--watch', 'measure repeatedly until Ctrl-C; with --json one document per line')
  .option('--work-dir <folder>', 'where the application’s processes keep their signs', '.outgrow')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  outgrow doctor --database file:./app.db
  outgrow doctor --database "$POSTGRES_URL" --json
  outgrow doctor --watch --window 2

Exit status: 0 all fine, 2 the database cannot be read, 4 signs that need attention.`,
  )
  .action((options: Options) =>
    runCommand<DoctorDocument>(
      options.json === true && options.watch === true ? 'lines' : (options.json ?? false),
      { command: 'doctor', examination: null },
      (context) => (options.watch ? watch(options, context) : look(options, context)),
    ),
  )

async function look(options: Options, { terminal, signal }: CommandContext): Promise<DoctorDocument> {
  const examination = await examineDatabase({
    url: databaseUrl(options.database),
    windowMs: windowOf(options.window),
    directory: resolve(options.workDir),
    signal,
  })
  signal.throwIfAborted()
  printExamination(terminal, examination)
  return documentOf(examination)
}

async function watch(options: Options, { terminal, signal }: CommandContext): Promise<never> {
  for (;;) {
    const examination = await examineDatabase({
      url: databaseUrl(options.database),
      windowMs: windowOf(options.window),
      directory: resolve(options.workDir),
      signal,
    })
    signal.throwIfAborted() // a look that was cut short tells nothing
    if (options.json) process.stdout.write(`${JSON.stringify(documentOf(examination))}\n`)
    else {
      if (process.stdout.isTTY) process.stdout.write('\u001B[2J\u001B[H')
      terminal.line(examination.at)
      printExamination(terminal, examination)
    }
    await sleep(1000, undefined, { signal })
  }
}

function documentOf(examination: Examination): DoctorDocument {
  const ok = examination.verdict === 'fine'
  return { command: 'doctor', ok, exitCode: ok ? exit.done : exit.findings, examination, error: null }
}

function windowOf(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= 0.2 && seconds <= 600) return seconds * 1000
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--window ${text} is not a number of seconds between 0.2 and 600.`,
    fix: 'For example --window 5.',
  })
}
