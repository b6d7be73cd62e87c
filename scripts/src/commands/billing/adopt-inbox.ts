import { appendFileSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { exit } from '@outgrow/kit'
import type { Adoption } from '../../adopt-inbox/adopt.ts'
import { inboxModel } from '../../adopt-inbox/inbox-model.ts'
import { databaseUrl } from '../../billing/context.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count } from '../../output/terminal.ts'
import { withBillingOptions, type BillingOptions } from './options.ts'

interface Options extends BillingOptions {
  table?: string
  column?: string
  payload?: string
  type?: string
  done?: string
  doneValues: string
  schema?: string
}

interface Document extends Outcome {
  adoption: Adoption | null
}

export const adoptInboxCommand = withBillingOptions(new Command('adopt-inbox'), true)
  .summary('make webhooks idempotent in an application that has no inbox')
  .description(
    'Creates the inbox with its unique key and imports the events stored elsewhere, each one once, in one transaction. Events known to be processed are marked done, all others pending. Safe to run again.',
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
  .option('--schema <file>', 'append the inbox model to this Prisma schema if it is missing')
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
        const { dryRun = false, schema } = options
        const { adoptInbox } = await import('../../adopt-inbox/adopt.ts')
        const adoption = await adoptInbox({
          databaseUrl: databaseUrl(options.database),
          table: options.table,
          column: options.column,
          payloadColumn: options.payload,
          typeColumn: options.type,
          doneColumn: options.done,
          doneValues: options.doneValues.split(',').map((value) => value.trim().toLowerCase()),
          dryRun,
        })
        const {
          created,
          kept,
          imported,
          duplicates,
          duplicateEvents,
          duplicateRows,
          known,
          withoutId,
          rowsRead,
        } = adoption
        terminal.line(
          created ? 'Created the inbox: webhook_events, with a unique key.' : 'The inbox already exists.',
        )
        if (kept !== null) terminal.line(`The table that had this name is kept as ${kept}.`)
        terminal.line(
          `${count(rowsRead)} rows read: ${count(imported.done)} events done, ${count(imported.pending)} pending, ${count(known)} already known.`,
        )
        if (duplicateRows > 0)
          terminal.line(
            `${count(duplicateRows)} repeats of ${count(duplicateEvents)} events were collapsed: ${duplicates
              .slice(0, 5)
              .map(({ id, rows }) => `${id} (${rows})`)
              .join(', ')}${duplicateEvents > 5 ? ' …' : ''}`,
          )
        if (withoutId > 0)
          terminal.line(
            terminal.style('yellow', `${count(withoutId)} rows have no event id and stay where they are.`),
          )
        if (
          schema !== undefined &&
          !dryRun &&
          !/@@map\("webhook_events"\)/.test(readFileSync(schema, 'utf8'))
        ) {
          appendFileSync(schema, `\n${inboxModel}`)
          terminal.line(`Added the model WebhookEvent to ${schema}.`)
        }
        if (dryRun) terminal.line('Dry run: nothing was changed.')
        return {
          command: 'billing adopt-inbox',
          ok: withoutId === 0,
          exitCode: withoutId === 0 ? exit.done : exit.findings,
          adoption,
          error: null,
        }
      },
    ),
  )
