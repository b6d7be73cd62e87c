import { Command } from 'commander'
import { configuredPlans, withStripe } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printPlans, printRegranted, type SoldPlan } from '../../render/plans.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

export const plansCommand = withBillingOptions(new Command('plans'), true)
  .summary('check the configured plans against Stripe and write them')
  .description(
    'Compares the plans of outgrow.config.ts with the prices at Stripe, then makes them the plans that are sold, and gives everybody who pays one that has changed what it gives now. Needs STRIPE_SECRET_KEY.',
  )
  .addHelpText('after', '\nExample:\n  outgrow billing plans --dry-run')
  .action((options: BillingOptions) =>
    runCommand<Outcome & { plans: SoldPlan[]; accounts: number }>(
      options.json ?? false,
      { command: 'billing plans', plans: [], accounts: 0 },
      async ({ terminal, signal }) => {
        const config = await configuredPlans()
        const { accounts } = await withStripe(
          options.database,
          async (billing, { checkPlans, syncPlans }) => {
            await checkPlans(billing.stripe, config)
            if (options.dryRun) return { accounts: 0 }
            const onProgress = (done: number) => printRegranted(terminal, done)
            return syncPlans(billing.store, config, { policy: billing.policy, signal, onProgress })
          },
        )
        const plans = config.plans.map(({ id, priceId, amount, currency }) => ({
          id,
          priceId,
          amount,
          currency,
        }))
        printPlans(terminal, plans, accounts, options.dryRun === true)
        return outcome('billing plans', { plans, accounts })
      },
    ),
  )
