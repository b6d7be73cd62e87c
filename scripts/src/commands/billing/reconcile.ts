import { Command } from 'commander'
import type { ReconcileProgress, Reconciliation } from '@outgrow/billing'
import { withStripe } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printReconciliation, printReconciling } from '../../render/reconciliation.ts'
import { daysOf, withBillingOptions, type BillingOptions } from './options.ts'

type Options = BillingOptions & { days: string; customer?: string[] }
type Document = Outcome & { reconciliation: Reconciliation | null }

export const reconcileCommand = withBillingOptions(new Command('reconcile'), true)
  .summary('find what differs from Stripe and correct it')
  .description(
    'Fetches events that never arrived, processes the queue, finds customers that are not here, and compares every customer with Stripe. Ends while events go on arriving, so it fits a cron job; one runs at a time. Exits with 4 if anything differed or somebody pays who belongs to no account. Needs STRIPE_SECRET_KEY.',
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
          const onProgress = (progress: ReconcileProgress) => printReconciling(terminal, progress)
          const days = daysOf(options.days)
          const reconciliation = await reconcile(billing, { days, dryRun, customers, signal, onProgress })
          const findings = reconciliationFindings(reconciliation)
          printReconciliation(terminal, reconciliation, findings, dryRun)
          return outcome('billing reconcile', { reconciliation }, findings.total === 0)
        }),
    ),
  )
