import { Command } from 'commander'
import { exit } from '@outgrow/kit'
import { configuredPlans, withStripe } from '../../billing/context.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { textTable } from '../../output/terminal.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

interface Document extends Outcome {
  plans: { id: string; priceId: string; amount: number; currency: string }[]
}

export const plansCommand = withBillingOptions(new Command('plans'), true)
  .summary('check the configured plans against Stripe and write them')
  .description(
    'Compares the plans of outgrow.config.ts with the prices at Stripe, then makes them the plans that are sold. Needs STRIPE_SECRET_KEY.',
  )
  .addHelpText('after', '\nExample:\n  outgrow billing plans --dry-run')
  .action((options: BillingOptions) =>
    runCommand<Document>(
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
        const rows = plans.map(({ id, priceId, amount, currency }) => [id, priceId, String(amount), currency])
        for (const line of textTable(['plan', 'price at Stripe', 'amount', 'currency'], rows))
          terminal.line(line)
        terminal.line(
          options.dryRun ? 'Stripe has these prices. Nothing was written.' : 'These plans are sold now.',
        )
        return { command: 'billing plans', ok: true, exitCode: exit.done, plans, error: null }
      },
    ),
  )
