import { Command, Option } from 'commander'
import { scenarioNames } from './scenario-names.ts'
import { runCommand } from 'outgrow/output/run'
import type { LoadOptions, LoadDocument } from './run-load.ts'

export const loadCommand = new Command('load')
  .summary('put load on a scratch copy to see each warning sign for real')
  .description(
    `Puts load on a scratch copy of a database from separate processes, so that doctor and the console have something to find. The original is only read.

Scenarios:
${Object.entries(scenarioNames)
  .map(([name, about]) => `  ${name.padEnd(20)} ${about}`)
  .join('\n')}`,
  )
  .addOption(
    new Option('--scenario <name>', 'kind of load').choices(Object.keys(scenarioNames)).makeOptionMandatory(),
  )
  .option('--from <file>', 'SQLite file to copy (default: an empty database with Outgrow’s own schema)')
  .option('--seconds <n>', 'how long', '20')
  .option('--doctor', 'examine the copy while it is under load')
  .option('--keep', 'keep the copy and the counters of its processes')
  .option('--work-dir <folder>', 'where scratch copies are made', '.outgrow')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  pnpm load --scenario concurrent-writers --doctor
  pnpm load --scenario long-reader --from app.db --seconds 60
  pnpm load --scenario checkout-burst --keep --json

Exit status: 0 done, 4 if --doctor found signs.`,
  )
  .action((options: LoadOptions) =>
    runCommand<LoadDocument>(
      options.json ?? false,
      { command: 'load', scenario: options.scenario, path: null, examination: null },
      async (context) => {
        const { load } = await import('./run-load.ts')
        return load(options, context)
      },
    ),
  )
