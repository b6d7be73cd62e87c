import { Command, Option } from 'commander'
import { backends, type Backend } from '@outgrow/testing'
import { chaos, type ChaosResult } from './chaos.ts'
import { graduateCommand } from './graduate/command.ts'
import { subjectNames, type Subject } from './lifecycle.ts'
import { foundIn, variants, type Variant } from './variants.ts'

interface Options {
  database: Backend
  runs: string
  seed: string
  variant: Variant
  about?: Subject
  json?: boolean
}

const billing = new Command('billing')
  .description(
    'random subscription lifecycles with deliveries out of order, workers killed and Stripe failing',
  )
  .addOption(new Option('--database <name>', 'where').choices(backends).default('sqlite'))
  .option('--runs <n>', 'lives', '100')
  .option('--seed <n>', 'the same number repeats the same lifecycles', String(Date.now() % 1_000_000))
  .addOption(
    new Option('--variant <name>', 'how events are processed').choices([...variants]).default('ours'),
  )
  .addOption(
    new Option('--about <subject>', 'what the lives are about; everything by default').choices(subjectNames),
  )
  .option('--json', 'print the result as one document')
  .addHelpText('after', '\nExample:\n  pnpm chaos billing --database postgres --runs 1000 --seed 7\n')
  .action(async ({ database, runs, seed, variant, about, json }: Options) => {
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    if (!json) process.stdout.write(`${database}, ${variant}, seed ${seed}\n`)
    const result = await chaos({
      database,
      variant,
      about: about ? [about] : variant === 'ours' ? undefined : foundIn[variant],
      runs: Number(runs),
      seed: Number(seed),
      signal: stop.signal,
      onRun: (run, violations) => {
        if (json) return
        for (const one of violations) process.stdout.write(`  run ${run}: ${one}\n`)
        if ((run + 1) % 100 === 0) process.stdout.write(`  ${run + 1} runs\n`)
      },
    })
    const summary = `${result.runs} runs, ${result.violations.length} violations`
    process.stdout.write(`${json ? JSON.stringify(result, null, 2) : countsOf(result)}\n${summary}\n`)
    if (result.violations.length > 0) process.exitCode = 4
  })

/** What happened, by its kind. */
function countsOf({ lives, steps, deliveries, sent, refusals, kills }: ChaosResult): string {
  const text = (counts: Record<string, number>) =>
    Object.entries(counts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, times]) => `  ${kind} ${times}`)
      .join('\n')
  return [
    `lives\n${text(lives)}`,
    `steps\n${text(steps)}`,
    `kills\n${text(kills)}`,
    `${deliveries} deliveries, ${sent} messages, ${refusals} calls refused by Stripe’s limit`,
  ].join('\n')
}

await new Command('chaos')
  .description('Tries to break the guarantees of the product.')
  .addCommand(billing)
  .addCommand(graduateCommand)
  .parseAsync()
