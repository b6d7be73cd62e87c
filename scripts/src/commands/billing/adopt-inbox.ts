import type { Adoption } from '@outgrow/billing/adopt'
import { Command } from 'commander'
import { adoptIntoProject } from '../../billing/adopt-into-project.ts'
import { databaseUrl } from '../../billing/context.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printAdoption, printPlannedInbox } from '../../render/adoption.ts'
import { listOf, withBillingOptions, type BillingOptions } from './options.ts'

type Named = Partial<Record<'table' | 'column' | 'payload' | 'type' | 'done' | 'schema', string>>
type Options = BillingOptions & Named & { doneValues: string; prefix: string }

type Document = Outcome & { adoption: Adoption | null }

export const adoptInboxCommand = withBillingOptions(new Command('adopt-inbox'), true)
  .summary('make webhooks idempotent in an application that has no inbox')
  .description(
    'Creates the inbox with its unique key and imports the events stored elsewhere, each one once, in one transaction. Events known to be processed are marked done, those whose payload cannot be read dead, all others pending. Safe to run again.',
  )
  .option('--table <name>', 'table that stores the events so far')
  .option('--column <name>', 'its column with Stripe’s event id (default: the id in the payload)')
  .option('--payload <name>', 'its column with the event’s JSON')
  .option('--type <name>', 'its column with the event’s type')
  .option('--done <name>', 'its column that shows whether an event was processed')
  .option(
    '--done-values <list>',
    'values of that column that mean yes',
    '1,true,t,yes,done,processed,success',
  )
  .option('--schema <path>', 'add the inbox model to this Prisma schema if it is missing')
  .option('--prefix <name>', 'put before names that are taken there', 'Billing')
  .addHelpText(
    'after',
    `
Examples:
  outgrow billing adopt-inbox --database file:./app.db --dry-run
  outgrow billing adopt-inbox --table stripe_events --column event_id --payload body --done processed
  outgrow billing adopt-inbox --table webhooks --payload data --schema prisma/schema.prisma`,
  )
  .action((options: Options) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'billing adopt-inbox', adoption: null },
      async ({ terminal }) => {
        const { dryRun = false, schema, table, column: id, payload, type, done } = options
        const { adoption, planned } = await adoptIntoProject(
          { databaseUrl: databaseUrl(options.database), schema, prefix: options.prefix },
          { table, columns: { id, payload, type, done }, doneValues: listOf(options.doneValues), dryRun },
        )
        printAdoption(terminal, adoption)
        if (planned) printPlannedInbox(terminal, planned, dryRun)
        if (dryRun) terminal.line('Dry run: nothing was changed.')
        return outcome('billing adopt-inbox', { adoption }, adoption.withoutId + adoption.imported.dead === 0)
      },
    ),
  )
