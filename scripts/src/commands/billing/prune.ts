import { Command } from 'commander'
import { withBilling } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count } from '../../output/terminal.ts'
import { daysOf, withBillingOptions, type BillingOptions } from './options.ts'

interface Document extends Outcome {
  blanked: number
}

export const pruneCommand = withBillingOptions(new Command('prune'), true)
  .summary('blank the payloads of old events')
  .description(
    'Payloads contain names and addresses: those of finished events are blanked after a while. The rows stay, so that a late repeat is still recognized.',
  )
  .option('--days <n>', 'keep payloads this long', '90')
  .addHelpText('after', '\nExamples:\n  outgrow billing prune --days 90 --dry-run')
  .action((options: BillingOptions & { days: string }) =>
    runCommand<Document>(options.json ?? false, { command: 'billing prune', blanked: 0 }, ({ terminal }) =>
      withBilling(options.database, async (store, { prune }) => {
        const blanked = await prune(store, daysOf(options.days), options.dryRun)
        terminal.line(`${count(blanked)} payloads ${options.dryRun ? 'would be' : 'are'} blanked.`)
        return outcome('billing prune', { blanked })
      }),
    ),
  )
