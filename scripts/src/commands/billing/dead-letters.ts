import { Command } from 'commander'
import { exit } from '@outgrow/kit'
import { withBilling } from '../../billing/context.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { textTable } from '../../output/terminal.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

interface Document extends Outcome {
  events: { id: string; type: string; receivedAt: Date; attempts: number; lastError: string | null }[]
}

export const deadLettersCommand = withBillingOptions(new Command('dead-letters'), false)
  .summary('events that were abandoned, with the reason')
  .description('Lists the events that failed too often, newest first. Exits with 4 if there are any.')
  .addHelpText('after', '\nExamples:\n  outgrow billing dead-letters\n  outgrow billing replay --dead')
  .action((options: BillingOptions) =>
    runCommand<Document>(
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
          if (events.length === 0) terminal.line('No event was abandoned.')
          else {
            const rows = events.map((event) => [
              event.id,
              event.type,
              event.receivedAt.toISOString(),
              event.attempts,
              event.lastError ?? '',
            ])
            for (const line of textTable(['event', 'type', 'received', 'attempts', 'last error'], rows))
              terminal.line(line)
          }
          const ok = events.length === 0
          return {
            command: 'billing dead-letters',
            ok,
            exitCode: ok ? exit.done : exit.findings,
            events,
            error: null,
          }
        }),
    ),
  )
