import { isHandled } from '../inbox/event-types.ts'
import { parseEventText } from '../inbox/parse-event.ts'
import type { AdoptRequest } from './adoption.ts'
import type { Row } from './connection.ts'

/** An event as the inbox takes it. */
export interface StoredEvent {
  id: string
  type: string
  payload: string
  objectId: string | null
  customerId: string | null
  status: 'done' | 'pending' | 'ignored'
}

/** Reads a row of the application's own table. Undefined where it has no event id. */
export function eventOf(
  row: Row,
  { columns, doneValues }: Pick<AdoptRequest, 'columns' | 'doneValues'>,
): StoredEvent | undefined {
  const payload = textOf(columns.payload === undefined ? null : row[columns.payload])
  const event = payload === null ? undefined : parseEventText(payload)
  const id = (columns.id === undefined ? null : textOf(row[columns.id])) ?? event?.stripeEventId ?? null
  if (id === null || id.trim() === '') return undefined
  const type = event?.type ?? (columns.type === undefined ? null : textOf(row[columns.type])) ?? 'unknown'
  const isDone =
    columns.done === undefined
      ? event === undefined
      : doneValues.includes((textOf(row[columns.done]) ?? '').toLowerCase())
  return {
    id,
    type,
    payload: payload ?? '{}',
    objectId: event?.objectId ?? null,
    customerId: event?.customerId ?? null,
    // Without a payload nothing could be done: a reconcile finds what is missing.
    status: isDone || event === undefined ? 'done' : isHandled(type) ? 'pending' : 'ignored',
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : `${value as number | boolean | bigint}`
}
