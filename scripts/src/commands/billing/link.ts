import { Command } from 'commander'
import type { CustomerLink } from '@outgrow/billing'
import { withStripe } from '../../billing/context.ts'
import { readLinks, type LinkOptions } from '../../billing/read-links.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printLinks } from '../../render/links.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

type Document = Outcome & { linked: CustomerLink[]; notOurs: string | null }

export const linkCommand = withBillingOptions(new Command('link'), true)
  .summary('say whose a customer is who pays and belongs to no account')
  .description(
    'Links a customer that was made by a payment link, in the dashboard or by another tool to the account that it is, and gives the account what it pays for. Nobody is mailed about what happened before. All links are checked before one is made. Needs STRIPE_SECRET_KEY.',
  )
  .option('--customer <id>', 'a customer at Stripe (cus_…)')
  .option('--account <id>', 'the account that it is')
  .option('--file <path>', 'many of them, a line each: cus_…,account')
  .option('--not-ours', 'it belongs to another application: do not report it any more')
  .addHelpText(
    'after',
    `
Examples:
  outgrow billing link --customer cus_123 --account acc_456
  outgrow billing link --file links.csv --dry-run
  outgrow billing link --customer cus_789 --not-ours`,
  )
  .action((options: BillingOptions & LinkOptions) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'billing link', linked: [], notOurs: null },
      ({ terminal }) => {
        const wanted = readLinks(options)
        return withStripe(options.database, async (billing, { linkCustomers, ignoreCustomer }) => {
          const { dryRun = false } = options
          const linked = 'links' in wanted ? wanted.links : []
          const notOurs = 'notOurs' in wanted ? wanted.notOurs : null
          await linkCustomers(billing, linked, dryRun)
          if (notOurs !== null) await ignoreCustomer(billing, notOurs, dryRun)
          printLinks(terminal, { linked, notOurs }, dryRun)
          return outcome('billing link', { linked, notOurs })
        })
      },
    ),
  )
