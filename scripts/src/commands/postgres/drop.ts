import { Command } from 'commander'
import { dropTrialDatabase, listTrialDatabases } from '@outgrow/graduate'
import { Failure } from '@outgrow/kit'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { withPostgresOptions, type PostgresOptions } from './options.ts'

export const dropCommand = withPostgresOptions(new Command('drop'))
  .summary('drop one of them, or all')
  .argument('[name]', 'name of a database from `outgrow postgres list`')
  .option('--all', 'drop all of them')
  .action((name: string | undefined, options: PostgresOptions & { all?: boolean }) =>
    runCommand<Outcome & { dropped: string[] }>(
      options.json ?? false,
      { command: 'postgres drop', dropped: [] },
      async ({ terminal }) => {
        if ((name === undefined) === (options.all !== true)) throw nameOrAll()
        const known = await listTrialDatabases(options.workDir)
        const dropped = name === undefined ? known.map((one) => one.name) : [name]
        for (const one of dropped) await dropTrialDatabase(options.workDir, one)
        terminal.line(dropped.length === 0 ? 'There are no databases.' : `Dropped ${dropped.join(', ')}.`)
        return outcome('postgres drop', { dropped })
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
