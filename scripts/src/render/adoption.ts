import type { Adoption } from '@outgrow/billing/adopt'
import type { PlannedInbox } from '../billing/plan-inbox.ts'
import { count, type Terminal } from '../output/terminal.ts'
import { printRenamed } from './billing-init.ts'

/** What became of the events that were kept elsewhere. */
export function printAdoption(terminal: Terminal, adoption: Adoption): void {
  const { created, kept, imported, rowsRead, known, withoutId } = adoption
  terminal.line(
    created ? 'Created the inbox: webhook_events, with a unique key.' : 'The inbox already exists.',
  )
  if (kept !== null) terminal.line(`The table that had this name is kept as ${kept}.`)
  terminal.line(
    `${count(rowsRead)} rows read: ${count(imported.done)} events done, ${count(imported.pending)} pending, ${count(known)} already known.`,
  )
  if (imported.dead > 0)
    terminal.line(
      terminal.style(
        'yellow',
        `${count(imported.dead)} events cannot be processed, because their payloads cannot be read: outgrow billing dead-letters lists them.`,
      ),
    )
  if (adoption.duplicateRows > 0) terminal.line(duplicatesLine(adoption))
  if (withoutId > 0)
    terminal.line(
      terminal.style('yellow', `${count(withoutId)} rows have no event id and stay where they are.`),
    )
}

/** What the project's schema gets. */
export function printPlannedInbox(terminal: Terminal, { added, names }: PlannedInbox, isDry: boolean): void {
  const files = added.changed.map(([file]) => file).join(', ')
  terminal.line(`${isDry ? 'Would add' : 'Added'} the model ${names.WebhookEvent.name} to ${files}.`)
  printRenamed(terminal, { EventStatus: names.EventStatus.name, WebhookEvent: names.WebhookEvent.name })
}

function duplicatesLine({ duplicateRows, duplicateEvents, duplicates }: Adoption): string {
  const first = duplicates.slice(0, 5).map(({ id, rows }) => `${id} (${rows})`)
  const more = duplicateEvents > 5 ? ' …' : ''
  return `${count(duplicateRows)} repeats of ${count(duplicateEvents)} events were collapsed: ${first.join(', ')}${more}`
}
