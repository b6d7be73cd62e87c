import { Command } from 'commander'
import { listTrialDatabases, type TrialDatabase } from '@outgrow/graduate'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printTrialDatabases } from '../../render/trial-databases.ts'
import { withPostgresOptions, type PostgresOptions } from './options.ts'

export const listCommand = withPostgresOptions(new Command('list'))
  .summary('the databases created by moves without --to')
  .action((options: PostgresOptions) =>
    runCommand<Outcome & { databases: Omit<TrialDatabase, 'url'>[] }>(
      options.json ?? false,
      { command: 'postgres list', databases: [] },
      async ({ terminal }) => {
        const known = await listTrialDatabases(options.workDir)
        printTrialDatabases(terminal, known)
        const databases = known.map(({ name, sizeBytes, source, status, startedAt }) => ({
          name,
          sizeBytes,
          source,
          status,
          startedAt,
        }))
        return outcome('postgres list', { databases })
      },
    ),
  )
