import { Command } from 'commander'
import { runningEmbedded } from '@outgrow/databases'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { withPostgresOptions, type PostgresOptions } from './options.ts'

export const stopCommand = withPostgresOptions(new Command('stop'))
  .summary('stop it; its data stays')
  .action((options: PostgresOptions) =>
    runCommand<Outcome & { url: null; running: boolean }>(
      options.json ?? false,
      { command: 'postgres stop', url: null, running: false },
      async ({ terminal }) => {
        await (await runningEmbedded(options.workDir))?.stop()
        terminal.line('The embedded PostgreSQL is stopped.')
        return outcome('postgres stop', { url: null, running: false })
      },
    ),
  )
