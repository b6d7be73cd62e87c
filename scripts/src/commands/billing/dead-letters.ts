import { Command } from 'commander'
import { withBilling } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printDeadLetters, type DeadLetter } from '../../render/dead-letters.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

export const deadLettersCommand = withBillingOptions(new Command('dead-letters'), false)
  .summary('events that were abandoned, with the reason')
  .description('Lists the events that failed too often, newest first. Exits with 4 if there are any.')
  .addHelpText('after', '\nExamples:\n  outgrow billing dead-letters\n  outgrow billing replay --dead')
  .action((options: BillingOptions) =>
    runCommand<Outcome & { events: DeadLetter[] }>(
      options.json ?? false,
      { command: 'billing dead-letters', events: [] },
      ({ terminal }) =>
        withBilling(options.database, async (store, { deadLetters }) => {
          const events = (await deadLetters(store)).map(
            ({ stripeEventId: id, type, receivedAt, attempts, lastError }) => ({
              id,
              type,
              receivedAt,
              attempts,
              lastError,
            }),
          )
          printDeadLetters(terminal, events)
          return outcome('billing dead-letters', { events }, events.length === 0)
        }),
    ),
  )
