import { join } from 'node:path'
import { Command } from 'commander'
import { startEmbeddedPostgres } from '@outgrow/databases'
import { exit, Failure } from '@outgrow/kit'
import { runCommand, type Outcome } from '../output/run.ts'
import { dropTrialDatabase, listTrialDatabases, type TrialDatabase } from '../trial-databases.ts'
import { runningEmbedded } from '../running-embedded.ts'
import { size, textTable } from '../output/terminal.ts'
import { stateDirectory } from '../state-directory.ts'

interface Options {
  workDir: string
  json?: boolean
}

type Document = Outcome & { url: string | null; running: boolean }

const withOptions = (command: Command) =>
  command
    .option('--work-dir <folder>', 'where the embedded PostgreSQL lives', '.outgrow')
    .option('--json', 'print one JSON document on stdout')

const startCommand = withOptions(new Command('start'))
  .summary('start it and print its URL')
  .action((options: Options) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'postgres start', url: null, running: false },
      async ({ terminal }) => {
        const { url } = await startEmbeddedPostgres({
          directory: join(stateDirectory(options.workDir), 'postgres'),
        })
        terminal.line(url)
        return { command: 'postgres start', ok: true, exitCode: exit.done, url, running: true, error: null }
      },
    ),
  )

const stopCommand = withOptions(new Command('stop'))
  .summary('stop it; its data stays')
  .action((options: Options) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'postgres stop', url: null, running: false },
      async ({ terminal }) => {
        await (await runningEmbedded(options.workDir))?.stop()
        terminal.line('The embedded PostgreSQL is stopped.')
        return {
          command: 'postgres stop',
          ok: true,
          exitCode: exit.done,
          url: null,
          running: false,
          error: null,
        }
      },
    ),
  )

type ListDocument = Outcome & { databases: Omit<TrialDatabase, 'url'>[] }

const listCommand = withOptions(new Command('list'))
  .summary('the databases created by moves without --to')
  .action((options: Options) =>
    runCommand<ListDocument>(
      options.json ?? false,
      { command: 'postgres list', databases: [] },
      async ({ terminal }) => {
        const databases = await listTrialDatabases(options.workDir)
        const rows = databases.map(({ name, status, sizeBytes, source, startedAt }) => [
          name,
          status,
          size(sizeBytes),
          startedAt ?? '',
          source ?? '',
        ])
        for (const line of textTable(['database', 'run', 'size', 'begun', 'source'], rows))
          terminal.line(line)
        if (databases.length === 0) terminal.line('There are no databases.')
        return {
          command: 'postgres list',
          ok: true,
          exitCode: exit.done,
          databases: databases.map(({ name, sizeBytes, source, status, startedAt }) => ({
            name,
            sizeBytes,
            source,
            status,
            startedAt,
          })),
          error: null,
        }
      },
    ),
  )

const dropCommand = withOptions(new Command('drop'))
  .summary('drop one of them, or all')
  .argument('[name]', 'name of a database from `outgrow postgres list`')
  .option('--all', 'drop all of them')
  .action((name: string | undefined, options: Options & { all?: boolean }) =>
    runCommand<Outcome & { dropped: string[] }>(
      options.json ?? false,
      { command: 'postgres drop', dropped: [] },
      async ({ terminal }) => {
        if ((name === undefined) === (options.all !== true)) throw nameOrAll()
        const known = await listTrialDatabases(options.workDir)
        const dropped = name === undefined ? known.map((one) => one.name) : [name]
        for (const one of dropped) await dropTrialDatabase(options.workDir, one)
        terminal.line(dropped.length === 0 ? 'There are no databases.' : `Dropped ${dropped.join(', ')}.`)
        return { command: 'postgres drop', ok: true, exitCode: exit.done, dropped, error: null }
      },
    ),
  )

function nameOrAll(): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No database was named to drop.',
    fix: 'Pass a name from outgrow postgres list, or --all.',
  })
}

export const postgresCommand = new Command('postgres')
  .summary('the embedded PostgreSQL of the work folder')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow postgres start\n  outgrow postgres list\n  outgrow postgres drop app_20260131102030\n  outgrow postgres stop',
  )
  .addCommand(startCommand)
  .addCommand(stopCommand)
  .addCommand(listCommand)
  .addCommand(dropCommand)
