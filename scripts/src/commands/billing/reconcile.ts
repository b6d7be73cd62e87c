import { Command } from 'commander'
import type { Reconciliation } from '@outgrow/billing'
import { exit } from '@outgrow/kit'
import { withStripe } from '../../billing/context.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count } from '../../output/terminal.ts'
import { daysOf, withBillingOptions, type BillingOptions } from './options.ts'

interface Options extends BillingOptions {
  days: string
  customer?: string[]
}

interface Document extends Outcome {
  reconciliation: Reconciliation | null
}

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
        withStripe(options.database, async (billing, { reconcile }) => {
          const { dryRun = false, customer: customers } = options
          const found = await reconcile(billing, {
            days: daysOf(options.days),
            dryRun,
            customers,
            signal,
            onProgress: (done) => {
              if (done % 500 === 0) terminal.line(`${count(done)} customers compared …`)
            },
          })
          for (const id of found.missingEvents) terminal.line(`event ${id} never arrived`)
          for (const { customer, differences } of found.drift)
            terminal.line(`${customer}: ${differences.join('; ')}`)
          for (const { customer, error } of found.failures)
            terminal.line(terminal.style('red', `${customer}: ${error}`))
          const unfinished = (found.worked?.failed ?? 0) + (found.worked?.dead ?? 0)
          if (unfinished > 0)
            terminal.line(
              terminal.style(
                'red',
                `${count(unfinished)} events could not be processed: run outgrow billing status`,
              ),
            )
          const drifted = found.missingEvents.length + found.drift.length + found.failures.length + unfinished
          const isWhole = found.failures.length + unfinished === 0
          const mended = dryRun
            ? 'Nothing was changed.'
            : `${isWhole ? 'All differences' : 'The differences that could be corrected'} were corrected.`
          terminal.line(
            `${count(found.customers)} customers compared, ${count(drifted)} findings. ${drifted > 0 ? mended : ''}`.trim(),
          )
          const ok = drifted === 0
          return {
            command: 'billing reconcile',
            ok,
            exitCode: ok ? exit.done : exit.findings,
            reconciliation: found,
            error: null,
          }
        }),
    ),
  )
