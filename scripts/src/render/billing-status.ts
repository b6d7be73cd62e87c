import type { BillingStatus, UnlinkedPayer } from '@outgrow/billing'
import { count, textTable, type Terminal } from '../output/terminal.ts'

/** What needs attention, in words. */
export function concernsOf(status: BillingStatus): string[] {
  const { events, outbox, expiredLeases, doubleSubscriptions, outsidePlans, unlinkedPayers } = status
  return [
    events.DEAD > 0 && `${events.DEAD} dead events: outgrow billing dead-letters`,
    outbox.dead > 0 && `${outbox.dead} dead messages: outgrow billing replay --outbox`,
    expiredLeases > 0 && `${expiredLeases} events whose worker died: is one running?`,
    ...doubleSubscriptions.map(
      ({ accountId, subscriptions }) => `account ${accountId} pays twice: ${subscriptions.join(', ')}`,
    ),
    ...outsidePlans.map(
      ({ accountId, subscription, prices }) =>
        `account ${accountId} pays for what no plan gives: ${subscription} at ${prices.join(', ')}; add the price to a plan`,
    ),
    ...unlinkedPayers.map(unlinkedText),
  ].filter((concern) => concern !== false)
}

/** Somebody who pays and gets nothing, and what to do. */
export function unlinkedText({
  stripeCustomerId,
  subscriptions,
}: Pick<UnlinkedPayer, 'stripeCustomerId' | 'subscriptions'>): string {
  return `${stripeCustomerId} pays and belongs to no account (${subscriptions.join(', ')}): outgrow billing link`
}

/** The inbox, the outbox and the subscriptions in numbers. */
export function printBillingStatus(
  terminal: Terminal,
  { events, outbox, subscriptions, reconciled }: BillingStatus,
  concerns: string[],
): void {
  for (const [title, counts] of Object.entries({ events, outbox, subscriptions })) {
    const rows = Object.entries(counts).map(([name, rows]) => [name.toLowerCase(), count(rows)])
    for (const line of textTable([title, 'rows'], rows)) terminal.line(line)
  }
  if (reconciled)
    terminal.line(
      `Last reconciled ${reconciled.finishedAt.toISOString()}, ${count(reconciled.findings)} findings.`,
    )
  for (const concern of concerns) terminal.line(terminal.style('yellow', concern))
}
