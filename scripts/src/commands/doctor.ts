import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Examination } from '@outgrow/signs'
import { databaseUrl } from '../billing/context.ts'
import { examineDatabase, watchDatabase } from '../doctor/examine-database.ts'
import { windowOf } from '../doctor/window.ts'
import { outcome, type Outcome } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'
import { printExamination, printWatched } from '../render/examination.ts'

type Options = { database?: string; window: string; watch?: boolean; workDir: string; json?: boolean }

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
      async ({ terminal, signal }) => {
        const url = databaseUrl(options.database)
        const windowMs = windowOf(options.window)
        const request = { url, windowMs, directory: resolve(options.workDir), signal }
        if (options.watch) return watchDatabase(request, options.json ? printLine : printWatched(terminal))
        const examination = await examineDatabase(request)
        signal.throwIfAborted()
        printExamination(terminal, examination)
        return documentOf(examination)
      },
    ),
  )

function documentOf(examination: Examination): DoctorDocument {
  return outcome('doctor', { examination }, examination.verdict === 'fine')
}

function printLine(examination: Examination): void {
  process.stdout.write(`${JSON.stringify(documentOf(examination))}\n`)
}
