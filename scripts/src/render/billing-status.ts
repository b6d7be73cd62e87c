import type { BillingStatus } from '@outgrow/billing'
import { count, textTable, type Terminal } from '../output/terminal.ts'

/** What needs attention, in words. */
export function concernsOf({ events, outbox, expiredLeases, doubleSubscriptions }: BillingStatus): string[] {
  return [
    events.DEAD > 0 && `${events.DEAD} dead events: outgrow billing dead-letters`,
    outbox.dead > 0 && `${outbox.dead} dead messages: outgrow billing replay --outbox`,
    expiredLeases > 0 && `${expiredLeases} events whose worker died: is one running?`,
    ...doubleSubscriptions.map(
      ({ accountId, subscriptions }) => `account ${accountId} pays twice: ${subscriptions.join(', ')}`,
    ),
  ].filter((concern) => concern !== false)
}

/** The inbox, the outbox and the subscriptions in numbers. */
export function printBillingStatus(
  terminal: Terminal,
  { events, outbox, subscriptions }: BillingStatus,
  concerns: string[],
): void {
  for (const [title, counts] of Object.entries({ events, outbox, subscriptions })) {
    const rows = Object.entries(counts).map(([name, rows]) => [name.toLowerCase(), count(rows)])
    for (const line of textTable([title, 'rows'], rows)) terminal.line(line)
  }
  for (const concern of concerns) terminal.line(terminal.style('yellow', concern))
}
