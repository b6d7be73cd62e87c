import { Command } from 'commander'
import { startEmbedded } from '@outgrow/databases'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { withPostgresOptions, type PostgresOptions } from './options.ts'

export const startCommand = withPostgresOptions(new Command('start'))
  .summary('start it and print its URL')
  .action((options: PostgresOptions) =>
    runCommand<Outcome & { url: string | null; running: boolean }>(
      options.json ?? false,
      { command: 'postgres start', url: null, running: false },
      async ({ terminal }) => {
        const { url } = await startEmbedded(options.workDir)
        terminal.line(url)
        return outcome('postgres start', { url, running: true })
      },
    ),
  )
