import { storedTime } from '../stored-time.ts'
import { describeTable } from './catalog.ts'
import type { AdoptConnection } from './connection.ts'
import { EventTable } from './event-table.ts'
import { inboxAt, inboxSql } from './inbox-table.ts'
import type { AdoptedStatus, StoredEvent } from './stored-event.ts'

interface InInbox {
  status: string
  /** It came by an adoption, and nobody has worked on it since. */
  isAdopted: boolean
}

/** An event, or what is known of one whose payload was not read. */
export type Copy = Pick<StoredEvent, 'id' | 'status'> & Partial<StoredEvent>

/** The inbox as adopting writes it. */
export interface InboxWriter {
  /** Runs one page's work in a transaction. */
  page(work: () => Promise<void>): Promise<void>
  /** What the inbox has of these events. */
  read(ids: readonly string[]): Promise<Map<string, InInbox>>
  /** Adds events that are not there; returns the ids of those that were added. */
  insert(events: readonly StoredEvent[]): Promise<Set<string>>
  /** Makes an adopted event what a better copy of it says. False where somebody has taken it meanwhile. */
  improve(from: string, better: Copy): Promise<boolean>
}

/** @param inbox its table's name */
export async function inboxWriter(
  connection: AdoptConnection,
  name: string,
  now: Date,
): Promise<InboxWriter> {
  const { provider, query, script } = connection
  const inbox = inboxSql(connection, name)
  const table = await describeTable(connection, inboxAt(connection, name))
  const there = new Set(table?.columns.map((column) => column.name))
  const valuesOf = (event: StoredEvent) =>
    Object.entries(columnsOf(provider, event, now)).filter(([column]) => there.has(column))
  return {
    async page(work) {
      await script(provider === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN')
      try {
        await work()
        await script('COMMIT')
      } catch (error) {
        await script('ROLLBACK').catch(() => {}) // the connection may be gone, and the transaction with it
        throw error
      }
    },
    read: (ids) => readInbox(connection, inbox, ids),
    async insert(events) {
      if (events.length === 0) return new Set()
      const rows = events.map(valuesOf)
      const names = (rows[0] ?? []).map(([column]) => column)
      const places = `(${names.map(() => '?').join(', ')})`
      const added = await query(
        `INSERT INTO ${inbox} (${names.join(', ')}) VALUES ${rows.map(() => places).join(', ')}
         ON CONFLICT (stripe_event_id) DO NOTHING RETURNING stripe_event_id AS id`,
        rows.flatMap((row) => row.map(([, value]) => value)),
      )
      return new Set(added.map(({ id }) => String(id)))
    },
    async improve(from, better) {
      const isWhole = better.isReadable === true
      const changes: [string, unknown][] = [
        ['status', better.status],
        ['last_error', null],
        ...(isWhole ? valuesOf(better as StoredEvent).filter(([column]) => inBody.has(column)) : []),
      ]
      const changed = await query(
        `UPDATE ${inbox} SET ${changes.map(([name]) => `${name} = ?`).join(', ')}
          WHERE stripe_event_id = ? AND outcome = 'adopted' AND status = ? RETURNING id`,
        [...changes.map(([, value]) => value), better.id, from],
      )
      return changed.length > 0
    },
  }
}

/** Writes nothing, and remembers what it would have. @param name undefined where there is none yet */
export function dryWriter(connection: AdoptConnection, name: string | undefined): InboxWriter {
  const written = new EventTable()
  return {
    page: (work) => work(),
    async read(ids) {
      const stored =
        name === undefined
          ? new Map<string, InInbox>()
          : await readInbox(connection, inboxSql(connection, name), ids)
      for (const id of ids) {
        const status = written.mark(id)
        if (status !== 'none') stored.set(id, { status, isAdopted: true })
      }
      return stored
    },
    insert(events) {
      for (const { id, status } of events) written.setMark(id, status)
      return Promise.resolve(new Set(events.map(({ id }) => id)))
    },
    improve(_, { id, status }) {
      written.setMark(id, status)
      return Promise.resolve(true)
    },
  }
}

/** How much a status is worth: what was processed stays so, and what can be worked on goes before what cannot. */
export function worthOf(status: string): number {
  const worth: Record<AdoptedStatus, number> = { dead: 0, ignored: 1, pending: 1, done: 2 }
  return worth[status as AdoptedStatus] ?? 2
}

async function readInbox(
  { query }: AdoptConnection,
  inbox: string,
  ids: readonly string[],
): Promise<Map<string, InInbox>> {
  const rows = await query(
    `SELECT stripe_event_id AS id, status, outcome FROM ${inbox} WHERE stripe_event_id IN (${ids.map(() => '?').join(', ')})`,
    [...ids],
  )
  return new Map(
    rows.map(({ id, status, outcome }) => [
      String(id),
      { status: String(status), isAdopted: outcome === 'adopted' },
    ]),
  )
}

/** Columns that come from the payload. */
const inBody = new Set([
  'type',
  'object_id',
  'customer_id',
  'stripe_account_id',
  'api_version',
  'livemode',
  'stripe_created_at',
  'payload',
])

function columnsOf(
  provider: AdoptConnection['provider'],
  event: StoredEvent,
  now: Date,
): Record<string, unknown> {
  const time = (date: Date | null) => date && storedTime(provider, date)
  return {
    stripe_event_id: event.id,
    source: 'adopted',
    type: event.type,
    object_id: event.objectId,
    customer_id: event.customerId,
    stripe_account_id: event.accountId,
    api_version: event.apiVersion,
    livemode: provider === 'sqlite' ? Number(event.livemode) : event.livemode,
    stripe_created_at: time(event.createdAt),
    received_at: time(event.receivedAt),
    payload: event.payload,
    status: event.status,
    attempts: 0,
    next_attempt_at: time(now),
    outcome: 'adopted',
    last_error: event.error,
  }
}
