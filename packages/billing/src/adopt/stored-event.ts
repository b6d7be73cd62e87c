import { isHandled } from '../inbox/event-types.ts'
import { parseEvent } from '../inbox/parse-event.ts'
import type { AdoptRequest, ColumnRole } from './adoption.ts'
import { flagOf, textOf, timeOf } from './stored-value.ts'

/** Values of a row, by what they are. */
export type StoredRow = Partial<Record<ColumnRole, unknown>> & {
  /** Whether it is of this provider. */
  isOurs: boolean
  /** Its event is in the inbox already, and the payload was not read. */
  isKnown: boolean
}

/** An event as the inbox takes it. */
export interface StoredEvent {
  id: string
  type: string
  payload: string
  objectId: string | null
  customerId: string | null
  /** The connected account that it is about; null for the own one. */
  accountId: string | null
  apiVersion: string | null
  livemode: boolean
  createdAt: Date | null
  receivedAt: Date
  /** Whether the payload is this event. */
  isReadable: boolean
  status: AdoptedStatus
  /** Why it is dead. */
  error: string | null
}

export type AdoptedStatus = 'done' | 'pending' | 'ignored' | 'dead'

/** What a row is. */
export type Judged =
  | { kind: 'event'; event: StoredEvent }
  | { kind: 'known'; id: string; isDone: boolean }
  | { kind: 'invalid' | 'otherProvider' | 'withoutId' }

type Rules = Pick<AdoptRequest, 'yesValues' | 'doneBefore'> & {
  /** The roles that have a column. */
  has: (role: ColumnRole) => boolean
  now: Date
}

/** Stripe's ids of events, snapshot and thin. */
const eventId = /^evt_[\w.-]{1,250}$/

/** Judges a row of the application's own table. What is not known to be valid is never taken. */
export function judge(row: StoredRow, rules: Rules): Judged {
  const { yesValues, has } = rules
  if (!row.isOurs) return { kind: 'otherProvider' }
  if (has('valid') && flagOf(row.valid, yesValues) !== true) return { kind: 'invalid' }
  const columnId = textOf(row.id)?.trim() ?? ''
  const receivedAt = timeOf(row.received)
  const stored = has('data') && !has('payload') ? composed(columnId, row, yesValues) : textOf(row.payload)
  const { text: payload, value: raw } = parsed(stored)
  const event = parseEvent(raw)
  const id = columnId === '' ? (event?.stripeEventId ?? '') : columnId
  const { id: foreign, livemode } = (raw ?? {}) as { id?: unknown; livemode?: unknown }
  if (id === '')
    return { kind: typeof foreign === 'string' && !eventId.test(foreign) ? 'otherProvider' : 'withoutId' }
  if (!eventId.test(id)) return { kind: 'otherProvider' }
  const createdAt = event?.stripeCreatedAt ?? timeOf(row.created)
  const hasPayload = has('payload') || has('data')
  const since = receivedAt ?? createdAt
  const isDone =
    (has('done') ? flagOf(row.done, yesValues) === true : !hasPayload) ||
    (rules.doneBefore !== undefined && since !== null && since < rules.doneBefore)
  if (row.isKnown) return { kind: 'known', id, isDone }
  const type = event?.type ?? textOf(row.type) ?? 'unknown'
  return {
    kind: 'event',
    event: {
      id,
      type,
      payload: payload ?? '{}',
      objectId: event?.objectId ?? null,
      customerId: event?.customerId ?? null,
      accountId: event?.stripeAccountId ?? null,
      apiVersion: event?.apiVersion ?? textOf(row.apiVersion),
      livemode: typeof livemode === 'boolean' ? livemode : (flagOf(row.livemode, yesValues) ?? false),
      createdAt,
      receivedAt: since ?? rules.now,
      isReadable: event?.stripeEventId === id,
      ...stateOf(isDone, id, type, event),
    },
  }
}

/** Without a payload that can be read nothing can be done: a reconcile finds what is missing. */
function stateOf(
  isDone: boolean,
  id: string,
  type: string,
  event: ReturnType<typeof parseEvent>,
): Pick<StoredEvent, 'status' | 'error'> {
  if (isDone) return { status: 'done', error: null }
  if (event === undefined) return { status: 'dead', error: 'The payload that was stored is not an event.' }
  if (event.stripeEventId !== id)
    return { status: 'dead', error: `The payload that was stored is that of ${event.stripeEventId}.` }
  const isOwn = event.stripeAccountId === null
  return { status: isOwn && isHandled(type) ? 'pending' : 'ignored', error: null }
}

/** The JSON of a payload and its value; of one that was made JSON twice, the inner one: hooks read it as it came. */
function parsed(text: string | null): { text: string | null; value: unknown } {
  try {
    const value: unknown = text === null ? undefined : JSON.parse(text)
    return typeof value === 'string' ? { text: value, value: JSON.parse(value) } : { text, value }
  } catch {
    return { text, value: undefined } // no JSON
  }
}

/** The event whose parts are in columns of their own. */
function composed(id: string, row: StoredRow, yesValues: readonly string[]): string | null {
  const data = textOf(row.data)
  const created = timeOf(row.created) ?? timeOf(row.received)
  if (data === null || created === null) return null
  return JSON.stringify({
    id,
    object: 'event',
    type: textOf(row.type),
    api_version: textOf(row.apiVersion),
    created: Math.floor(created.getTime() / 1000),
    livemode: flagOf(row.livemode, yesValues) ?? false,
    data: parsed(data).value,
  })
}
