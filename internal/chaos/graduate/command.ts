import { Command, Option } from 'commander'
import { chaosGraduate } from './graduate.ts'
import { variantNames, type Variant } from './variants.ts'

interface Options {
  runs: string
  seed: string
  variant?: Variant
  json?: boolean
}

export const graduateCommand = new Command('graduate')
  .description(
    'an application at work while its file graduates: processes killed, the server down, the network cut, disks full',
  )
  .option('--runs <n>', 'graduations', '10')
  .option(
    '--seed <n>',
    'of the first run; each names its own, which repeats it',
    String(Date.now() % 1_000_000),
  )
  .addOption(
    new Option('--variant <name>', 'a design that loses something, to see that it is found').choices(
      variantNames,
    ),
  )
  .option('--json', 'print the result as one document')
  .addHelpText('after', '\nExample:\n  pnpm chaos graduate --runs 50 --seed 7\n')
  .action(async ({ runs, seed, variant, json }: Options) => {
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    const result = await chaosGraduate({
      runs: Number(runs),
      seed: Number(seed),
      variant,
      signal: stop.signal,
      onRun: (plan, { operations, kills, wrong, history, ms }) => {
        if (json) return
        process.stdout.write(
          `seed ${plan.seed}: ${operations} operations, ${kills} kills, ${(ms / 1000).toFixed(1)} s\n`,
        )
        for (const one of history) process.stdout.write(`    ${one}\n`)
        for (const one of wrong) process.stdout.write(`  WRONG ${one.slice(0, 2000)}\n`)
      },
    })
    if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    process.stdout.write(
      `${result.runs} runs, ${result.kills} kills, ${result.operations} operations, ${result.violations.length} violations\n`,
    )
    if (result.violations.length > 0) process.exitCode = 1
  })
