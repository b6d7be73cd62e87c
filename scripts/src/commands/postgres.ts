import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { startEmbeddedPostgres } from '@outgrow/databases'
import { exit } from '../output/exit.ts'
import { runCommand, type Outcome } from '../output/run.ts'
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
        const directory = join(resolve(options.workDir), 'postgres')
        if (existsSync(directory)) await (await startEmbeddedPostgres({ directory })).stop()
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

export const postgresCommand = new Command('postgres')
  .summary('the embedded PostgreSQL of the work folder')
  .addHelpText('after', '\nExamples:\n  outgrow postgres start\n  outgrow postgres stop')
  .addCommand(startCommand)
  .addCommand(stopCommand)
