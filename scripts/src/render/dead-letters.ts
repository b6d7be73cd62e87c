import { textTable, type Terminal } from '../output/terminal.ts'

export interface DeadLetter {
  id: string
  type: string
  receivedAt: Date
  attempts: number
  lastError: string | null
}

/** The events that were abandoned, with the reason. */
export function printDeadLetters(terminal: Terminal, events: DeadLetter[]): void {
  if (events.length === 0) {
    terminal.line('No event was abandoned.')
    return
  }
  const rows = events.map(({ id, type, receivedAt, attempts, lastError }) => [
    id,
    type,
    receivedAt.toISOString(),
    attempts,
    lastError ?? '',
  ])
  for (const line of textTable(['event', 'type', 'received', 'attempts', 'last error'], rows))
    terminal.line(line)
}
