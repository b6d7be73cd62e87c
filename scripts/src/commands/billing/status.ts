import { Command } from 'commander'
import type { BillingStatus } from '@outgrow/billing'
import { withBilling } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { concernsOf, printBillingStatus } from '../../render/billing-status.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

type Document = Outcome & { status: BillingStatus | null }

export const statusCommand = withBillingOptions(new Command('status'), false)
  .summary('the inbox, the outbox and the subscriptions in numbers')
  .description(
    'Counts events, messages and subscriptions, and names what needs attention. Exits with 4 if anything does.',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow billing status\n  outgrow billing status --database "$POSTGRES_URL" --json',
  )
  .action((options: BillingOptions) =>
    runCommand<Document>(options.json ?? false, { command: 'billing status', status: null }, ({ terminal }) =>
      withBilling(options.database, async (store, { billingStatus }) => {
        const status = await billingStatus(store)
        const concerns = concernsOf(status)
        printBillingStatus(terminal, status, concerns)
        return outcome('billing status', { status }, concerns.length === 0)
      }),
    ),
  )
