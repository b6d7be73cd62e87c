import { Command } from 'commander'
import type { BillingStatus } from '@outgrow/billing'
import { exit } from '@outgrow/kit'
import { withBilling } from '../../billing/context.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count, textTable } from '../../output/terminal.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

interface Document extends Outcome {
  status: BillingStatus | null
}

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
        const table = (head: string[], counts: Record<string, number>) => {
          for (const line of textTable(
            head,
            Object.entries(counts).map(([name, n]) => [name.toLowerCase(), count(n)]),
          ))
            terminal.line(line)
        }
        table(['events', 'rows'], status.events)
        table(['outbox', 'rows'], status.outbox)
        table(['subscriptions', 'rows'], status.subscriptions)
        const concerns = [
          status.events.DEAD > 0 && `${status.events.DEAD} dead events: outgrow billing dead-letters`,
          status.outbox.dead > 0 && `${status.outbox.dead} dead messages: outgrow billing replay --outbox`,
          status.expiredLeases > 0 && `${status.expiredLeases} events whose worker died: is one running?`,
          ...status.doubleSubscriptions.map(
            ({ accountId, subscriptions }) => `account ${accountId} pays twice: ${subscriptions.join(', ')}`,
          ),
        ].filter((concern) => concern !== false)
        for (const concern of concerns) terminal.line(terminal.style('yellow', concern))
        const ok = concerns.length === 0
        return {
          command: 'billing status',
          ok,
          exitCode: ok ? exit.done : exit.findings,
          status,
          error: null,
        }
      }),
    ),
  )
