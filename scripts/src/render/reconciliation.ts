import type { ReconcileProgress, Reconciliation, ReconciliationFindings } from '@outgrow/billing'
import { count, type Terminal } from '../output/terminal.ts'
import { unlinkedText } from './billing-status.ts'

const steps: Record<ReconcileProgress['step'], string> = {
  events: 'events looked up',
  strangers: 'customers of Stripe looked up',
  customers: 'customers compared',
}

/** How far it has come, now and then. */
export function printReconciling(terminal: Terminal, { step, done }: ReconcileProgress): void {
  if (done > 0 && done % 500 === 0) terminal.line(`${count(done)} ${steps[step]} …`)
}

/** What differed from Stripe, and what was done about it. */
export function printReconciliation(
  terminal: Terminal,
  { missingEvents, drift, linked, unlinked, inFlight, failures, customers }: Reconciliation,
  { unfinished, total, isWhole }: ReconciliationFindings,
  dryRun: boolean,
): void {
  const red = (text: string) => terminal.line(terminal.style('red', text))
  for (const id of missingEvents) terminal.line(`event ${id} never arrived`)
  for (const { customer, differences } of drift) terminal.line(`${customer}: ${differences.join('; ')}`)
  for (const { stripeCustomerId, accountId } of linked)
    terminal.line(`${stripeCustomerId} belongs to account ${accountId}`)
  for (const payer of unlinked) red(unlinkedText(payer))
  for (const { customer, error } of failures) red(`${customer}: ${error}`)
  if (unfinished > 0) red(`${count(unfinished)} events could not be processed: run outgrow billing status`)
  if (inFlight > 0)
    terminal.line(`${count(inFlight)} differences are of the last minutes: their events are on their way.`)
  const mended = dryRun
    ? 'Nothing was changed.'
    : `${isWhole ? 'All differences' : 'The differences that could be corrected'} were corrected.`
  terminal.line(
    `${count(customers)} customers compared, ${count(total)} findings. ${total > 0 ? mended : ''}`.trim(),
  )
}
