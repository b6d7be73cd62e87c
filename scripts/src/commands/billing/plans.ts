import { Command } from 'commander'
import { configuredPlans, withStripe } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printPlans, type SoldPlan } from '../../render/plans.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

export const plansCommand = withBillingOptions(new Command('plans'), true)
  .summary('check the configured plans against Stripe and write them')
  .description(
    'Compares the plans of outgrow.config.ts with the prices at Stripe, then makes them the plans that are sold. Needs STRIPE_SECRET_KEY.',
  )
  .addHelpText('after', '\nExample:\n  outgrow billing plans --dry-run')
  .action((options: BillingOptions) =>
    runCommand<Outcome & { plans: SoldPlan[] }>(
      options.json ?? false,
      { command: 'billing plans', plans: [] },
      async ({ terminal }) => {
        const config = await configuredPlans()
        await withStripe(options.database, async ({ store, stripe }, { checkPlans, syncPlans }) => {
          await checkPlans(stripe, config)
          if (!options.dryRun) await syncPlans(store, config)
        })
        const plans = config.plans.map(({ id, priceId, amount, currency }) => ({
          id,
          priceId,
          amount,
          currency,
        }))
        printPlans(terminal, plans, options.dryRun === true)
        return outcome('billing plans', { plans })
      },
    ),
  )
