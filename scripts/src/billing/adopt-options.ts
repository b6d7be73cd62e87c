import type { AdoptRequest } from '@outgrow/billing/adopt'
import { Failure } from '@outgrow/kit'
import type { Command } from 'commander'
import { dateOf, listOf } from '../commands/billing/options.ts'

/** Where an application keeps its events, as the command line names it. */
export interface ColumnOptions {
  preset?: string
  table?: string
  column?: string
  payload?: string
  data?: string
  type?: string
  done?: string
  doneBefore?: string
  valid?: string
  livemode?: string
  created?: string
  received?: string
  apiVersion?: string
  only?: string
  doneValues: string
}

export function withColumnOptions(command: Command): Command {
  return command
    .option('--preset <name>', 'a known table: cashier, dj-stripe, pay, spatie, stripe-sync-engine')
    .option('--table <name>', 'table or view with the events so far: events, stripe.events')
    .option('--column <name>', 'its column with Stripe’s event id (default: the id in the payload)')
    .option('--payload <name>', 'its column with the event’s JSON')
    .option('--data <name>', 'its column with the event’s data, if none has the whole event')
    .option('--type <name>', 'its column with the event’s type')
    .option('--done <name>', 'its column that shows whether an event was processed, or when')
    .option('--done-before <date>', 'events received before were processed')
    .option('--valid <name>', 'its column that shows whether the signature was valid')
    .option('--livemode <name>', 'its column that shows live or test mode')
    .option('--created <name>', 'its column with the time at Stripe')
    .option('--received <name>', 'its column with the time of arrival')
    .option('--api-version <name>', 'its column with Stripe’s API version')
    .option('--only <column=value>', 'rows of Stripe in a table of several providers')
    .option(
      '--done-values <list>',
      'values of --done and --valid that mean yes',
      '1,true,t,y,yes,done,processed,success,succeeded,completed',
    )
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export function adoptRequestOf(options: ColumnOptions): AdoptRequest {
  const { table, preset, column: id, doneValues, doneBefore, only } = options
  const { payload, data, type, done, valid, livemode, created, received, apiVersion } = options
  return {
    table,
    preset,
    columns: { id, payload, data, type, done, valid, livemode, created, received, apiVersion },
    only: only === undefined ? undefined : onlyOf(only),
    yesValues: listOf(doneValues),
    doneBefore: dateOf(doneBefore, '--done-before'),
  }
}

function onlyOf(text: string): { column: string; value: string } {
  const at = text.indexOf('=')
  if (at > 0) return { column: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--only ${text} has no value.`,
    fix: 'For example --only processor=stripe.',
  })
}
