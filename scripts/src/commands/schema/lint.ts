import { Command, Option } from 'commander'
import { isSpreadable, lintScale, type ScaleReport } from '@outgrow/operations'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printScale } from '../../render/scale.ts'
import { jsonOption } from './shared.ts'

interface Options {
  schema: string
  tenant?: string
  json?: boolean
}

export const lintCommand = new Command('lint')
  .summary('what a schema must change to be spread over several machines')
  .description(
    'Holds a schema against the twelve promises that Citus asks for, so that the rows of each tenant lie together on one of several machines. Says what must change, with the changed lines written out, and whether a Postgres schema per tenant would take the schema as it is. Writes nothing.',
  )
  .addOption(new Option('--scale', 'the promises of a cluster').makeOptionMandatory())
  .option('--schema <path>', 'schema file or folder', 'prisma/schema.prisma')
  .option(
    '--tenant <model>',
    'the model whose rows are the tenants, such as Organization or Organization.code (default: the one to which the most models belong)',
  )
  .option(...jsonOption)
  .addHelpText(
    'after',
    `
Examples:
  outgrow schema lint --scale
  outgrow schema lint --scale --tenant Organization --json

Exit status: 0 nothing to change, 2 refused, 4 something must change or be decided.`,
  )
  .action((options: Options) =>
    runCommand<Outcome & { report: ScaleReport | null }>(
      options.json ?? false,
      { command: 'schema lint', report: null },
      async ({ terminal }) => {
        const report = lintScale(options)
        printScale(terminal, report)
        return outcome('schema lint', { report }, isSpreadable(report))
      },
    ),
  )
