import { Command } from 'commander'
import { Failure } from '@outgrow/kit'
import { withBilling } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count } from '../../output/terminal.ts'
import { dateOf, withBillingOptions, type BillingOptions } from './options.ts'

interface Options extends BillingOptions {
  id?: string[]
  type?: string
  since?: string
  dead?: boolean
  outbox?: boolean
  late?: boolean
}

export const replayCommand = withBillingOptions(new Command('replay'), true)
  .summary('put events back into the queue')
  .description(
    'Processes the chosen events again. Each is synchronized from Stripe, so a repeat does no harm.',
  )
  .option('--id <ids...>', 'Stripe’s event ids')
  .option('--type <type>', 'events of one type')
  .option('--since <date>', 'events received since, as 2026-01-31 or 2026-01-31T10:00:00Z')
  .option('--dead', 'only events that were abandoned')
  .option('--outbox', 'messages that were abandoned, instead of events')
  .option('--late', 'with --outbox: those that were not sent because they were heard of too late')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow billing replay --dead\n  outgrow billing replay --type invoice.paid --since 2026-01-31 --dry-run',
  )
  .action((options: Options) =>
    runCommand<Outcome & { replayed: number }>(
      options.json ?? false,
      { command: 'billing replay', replayed: 0 },
      ({ terminal }) =>
        withBilling(options.database, async (store, { replay, replayOutbox }) => {
          const { id: ids, type, dead, dryRun = false, outbox, late } = options
          const since = dateOf(options.since)
          if (!outbox && (late || (!ids && type === undefined && since === undefined && !dead)))
            throw nothingChosen()
          const replayed = outbox
            ? await replayOutbox(store, late ? 'late' : 'dead', dryRun)
            : await replay(store, { ids, type, since, dead }, dryRun)
          terminal.line(
            `${count(replayed)} ${outbox ? 'messages' : 'events'} ${dryRun ? 'would be' : 'are'} in the queue again.`,
          )
          return outcome('billing replay', { replayed })
        }),
    ),
  )

function nothingChosen(): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No events were chosen.',
    fix: 'Choose them with --id, --type, --since or --dead; --late goes with --outbox.',
  })
}
