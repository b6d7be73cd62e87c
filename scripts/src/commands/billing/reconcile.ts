import { Command } from 'commander'
import type { Reconciliation } from '@outgrow/billing'
import { withStripe } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printCompared, printReconciliation } from '../../render/reconciliation.ts'
import { daysOf, withBillingOptions, type BillingOptions } from './options.ts'

type Options = BillingOptions & { days: string; customer?: string[] }
type Document = Outcome & { reconciliation: Reconciliation | null }

export const reconcileCommand = withBillingOptions(new Command('reconcile'), true)
  .summary('find what differs from Stripe and correct it')
  .description(
    'Fetches events that never arrived, processes the queue, and compares every customer with Stripe. Exits with 4 if anything differed. Needs STRIPE_SECRET_KEY.',
  )
  .option('--days <n>', 'how far back to look for events; Stripe keeps them for 30 days', '30')
  .option('--customer <ids...>', 'compare only these customers (cus_…)')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow billing reconcile --dry-run\n  outgrow billing reconcile --customer cus_123 --json',
  )
  .action((options: Options) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'billing reconcile', reconciliation: null },
      ({ terminal, signal }) =>
        withStripe(options.database, async (billing, { reconcile, reconciliationFindings }) => {
          const { dryRun = false, customer: customers } = options
          const onProgress = (done: number) => printCompared(terminal, done)
          const days = daysOf(options.days)
          const reconciliation = await reconcile(billing, { days, dryRun, customers, signal, onProgress })
          const findings = reconciliationFindings(reconciliation)
          printReconciliation(terminal, reconciliation, findings, dryRun)
          return outcome('billing reconcile', { reconciliation }, findings.total === 0)
        }),
    ),
  )
