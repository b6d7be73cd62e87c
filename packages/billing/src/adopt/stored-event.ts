import { isUtf8 } from 'node:buffer'
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
  status: 'done' | 'pending' | 'ignored' | 'dead'
  /** Why it is dead. */
  error: string | null
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
      ? columns.payload === undefined
      : doneValues.includes((textOf(row[columns.done]) ?? '').toLowerCase())
  return {
    id,
    type,
    payload: payload ?? '{}',
    objectId: event?.objectId ?? null,
    customerId: event?.customerId ?? null,
    ...stateOf(isDone || columns.payload === undefined, id, type, event),
  }
}

/** Without a payload that can be read nothing can be done: a reconcile finds what is missing. */
function stateOf(
  isDone: boolean,
  id: string,
  type: string,
  event: ReturnType<typeof parseEventText>,
): Pick<StoredEvent, 'status' | 'error'> {
  if (isDone) return { status: 'done', error: null }
  if (event === undefined) return { status: 'dead', error: 'The payload that was stored is not an event.' }
  if (event.stripeEventId !== id)
    return { status: 'dead', error: `The payload that was stored is that of ${event.stripeEventId}.` }
  return { status: isHandled(type) ? 'pending' : 'ignored', error: null }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return isUtf8(value) && !value.includes(0) ? value.toString('utf8') : null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : `${value as number | boolean | bigint}`
}
