import type { Reconciliation, ReconciliationFindings } from '@outgrow/billing'
import { count, type Terminal } from '../output/terminal.ts'

/** How far comparing has come, now and then. */
export function printCompared(terminal: Terminal, customers: number): void {
  if (customers % 500 === 0) terminal.line(`${count(customers)} customers compared …`)
}

/** What differed from Stripe, and what was done about it. */
export function printReconciliation(
  terminal: Terminal,
  { missingEvents, drift, failures, customers }: Reconciliation,
  { unfinished, total, isWhole }: ReconciliationFindings,
  dryRun: boolean,
): void {
  const red = (text: string) => terminal.line(terminal.style('red', text))
  for (const id of missingEvents) terminal.line(`event ${id} never arrived`)
  for (const { customer, differences } of drift) terminal.line(`${customer}: ${differences.join('; ')}`)
  for (const { customer, error } of failures) red(`${customer}: ${error}`)
  if (unfinished > 0) red(`${count(unfinished)} events could not be processed: run outgrow billing status`)
  const mended = dryRun
    ? 'Nothing was changed.'
    : `${isWhole ? 'All differences' : 'The differences that could be corrected'} were corrected.`
  terminal.line(
    `${count(customers)} customers compared, ${count(total)} findings. ${total > 0 ? mended : ''}`.trim(),
  )
}
