import { quoteIdentifier } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { isHandled, parseEventText, storedTime } from '@outgrow/billing/events'
import { connect, type Connection, type Row } from './connection.ts'
import { inboxDdl } from './inbox-model.ts'

const inbox = 'webhook_events'

export interface AdoptRequest {
  databaseUrl: string
  /** The table in which the application kept the events so far. */
  table?: string | undefined
  /** Its column with Stripe's event id; without it the id is read from the payload. */
  column?: string | undefined
  payloadColumn?: string | undefined
  typeColumn?: string | undefined
  /** A column that says whether an event was processed, and the values of it that mean yes. */
  doneColumn?: string | undefined
  doneValues: string[]
  dryRun: boolean
}

export interface Adoption {
  /** Whether the inbox was made. */
  created: boolean
  /** Name under which a table called webhook_events, without the inbox's columns or key, was kept. */
  kept: string | null
  rowsRead: number
  imported: { done: number; pending: number }
  /** How many events were there more than once. */
  duplicateEvents: number
  /** The first hundred of them, with how often. */
  duplicates: { id: string; rows: number }[]
  duplicateRows: number
  /** Rows that were in the inbox already. */
  known: number
  /** Rows without an id. */
  withoutId: number
}

/**
 * Brings an application to the inbox, in one transaction: makes the table with its unique key, and takes over the events
 * that were kept elsewhere, each once. What was processed is done; what is not known to be is pending, when its payload
 * is there, since the synchronisation may be repeated. Running it again changes nothing more.
 * @throws Failure OUTGROW_ADOPT_TABLE, OUTGROW_URL_INVALID
 */
export async function adoptInbox(request: AdoptRequest): Promise<Adoption> {
  const connection = await connect(request.databaseUrl)
  try {
    await connection.script(connection.provider === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN')
    try {
      const adoption = await adopt(connection, request)
      await connection.script(request.dryRun ? 'ROLLBACK' : 'COMMIT')
      return adoption
    } catch (error) {
      await connection.script('ROLLBACK')
      throw error
    }
  } finally {
    await connection.close()
  }
}

async function adopt(connection: Connection, request: AdoptRequest): Promise<Adoption> {
  if (connection.provider === 'postgres')
    await connection.script(`SELECT pg_advisory_xact_lock(hashtext('${inbox}'))`)
  const columns = await connection.columnsOf(inbox)
  const isInbox = columns.includes('stripe_event_id') && (await connection.isUnique(inbox, 'stripe_event_id'))
  let { table } = request
  let kept: string | null = null
  if (columns.length > 0 && !isInbox) {
    kept = await setAside(connection)
    if (table === undefined || table === inbox) table = kept
  }
  if (!isInbox) await connection.script(await inboxDdl(connection.provider))
  const adoption: Adoption = {
    created: !isInbox,
    kept,
    rowsRead: 0,
    imported: { done: 0, pending: 0 },
    duplicateEvents: 0,
    duplicates: [],
    duplicateRows: 0,
    known: 0,
    withoutId: 0,
  }
  if (table !== undefined && table !== inbox) await takeOver(connection, { ...request, table }, adoption)
  return adoption
}

/** Keeps a table that has the inbox's name, and is none, under another one; its indexes make room for the new ones. */
async function setAside(connection: Connection): Promise<string> {
  let name = `${inbox}_before`
  for (let number = 2; (await connection.columnsOf(name)).length > 0; number++)
    name = `${inbox}_before_${number}`
  await connection.script(`ALTER TABLE ${inbox} RENAME TO ${quoteIdentifier(name)}`)
  if (connection.provider === 'postgres') {
    const indexes = await connection.query(
      'SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ?',
      [name],
    )
    for (const [at, { name: index }] of indexes.entries()) {
      const free = quoteIdentifier(`${name}_index_${at + 1}`)
      await connection.script(`ALTER INDEX ${quoteIdentifier(String(index))} RENAME TO ${free}`)
    }
  } else {
    const indexes = await connection.query(
      `SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`,
      [name],
    )
    // SQLite cannot rename an index; those that only help reading are not needed any more.
    for (const { name: index } of indexes)
      await connection.script(`DROP INDEX ${quoteIdentifier(String(index))}`)
  }
  return name
}

const pageRows = 2000

async function takeOver(
  connection: Connection,
  request: AdoptRequest & { table: string },
  adoption: Adoption,
): Promise<void> {
  const chosen = await chosenColumns(connection, request)
  const names = [...new Set(Object.values(chosen))].map((name) => quoteIdentifier(name)).join(', ')
  // Nothing may come in between two pages. `json` has no order of its own, its text has.
  const isPostgres = connection.provider === 'postgres'
  const table = quoteIdentifier(request.table)
  if (isPostgres) await connection.script(`LOCK TABLE ${table} IN SHARE MODE`)
  const order = isPostgres ? names.replaceAll(/"(?:[^"]|"")*"/g, '$&::text') : names
  const copies = new Map<string, number>()
  for (let offset = 0; ; offset += pageRows) {
    const rows = await connection.query(
      `SELECT ${names} FROM ${table} ORDER BY ${order} LIMIT ${pageRows} OFFSET ${offset}`,
    )
    for (const row of rows) {
      adoption.rowsRead++
      const event = eventOf(row, chosen, request)
      if (event === undefined) {
        adoption.withoutId++
        continue
      }
      const seen = (copies.get(event.id) ?? 0) + 1
      copies.set(event.id, seen)
      await store(connection, event, seen > 1, adoption)
    }
    if (rows.length < pageRows) break
  }
  const doubles = [...copies].filter(([, count]) => count > 1)
  adoption.duplicateRows = doubles.reduce((sum, [, count]) => sum + count - 1, 0)
  adoption.duplicateEvents = doubles.length
  adoption.duplicates = doubles.slice(0, 100).map(([id, count]) => ({ id, rows: count }))
}

type Chosen = Partial<Record<'id' | 'payload' | 'type' | 'done', string>>

async function chosenColumns(
  connection: Connection,
  request: AdoptRequest & { table: string },
): Promise<Chosen> {
  const there = await connection.columnsOf(request.table)
  const wanted: Chosen = {
    ...(request.column === undefined ? {} : { id: request.column }),
    ...(request.payloadColumn === undefined ? {} : { payload: request.payloadColumn }),
    ...(request.typeColumn === undefined ? {} : { type: request.typeColumn }),
    ...(request.doneColumn === undefined ? {} : { done: request.doneColumn }),
  }
  const missing = Object.values(wanted).filter((name) => !there.includes(name))
  if (there.length > 0 && missing.length === 0 && (wanted.id ?? wanted.payload) !== undefined) return wanted
  throw new Failure({
    code: 'OUTGROW_ADOPT_TABLE',
    message:
      there.length === 0
        ? `There is no table ${request.table}.`
        : missing.length > 0
          ? `The table ${request.table} has no column ${missing.join(', ')}; it has ${there.join(', ')}.`
          : `No column of ${request.table} was named for the event ids; it has ${there.join(', ')}.`,
    fix: 'Name the table with --table, and its columns with --column, --payload, --type and --done.',
  })
}

interface Found {
  id: string
  type: string
  payload: string
  objectId: string | null
  customerId: string | null
  status: 'done' | 'pending' | 'ignored'
}

function eventOf(row: Row, chosen: Chosen, { doneColumn, doneValues }: AdoptRequest): Found | undefined {
  const payload = textOf(chosen.payload === undefined ? null : row[chosen.payload])
  const event = payload === null ? undefined : parseEventText(payload)
  const id = (chosen.id === undefined ? null : textOf(row[chosen.id])) ?? event?.stripeEventId ?? null
  if (id === null || id.trim() === '') return undefined
  const type = event?.type ?? (chosen.type === undefined ? null : textOf(row[chosen.type])) ?? 'unknown'
  const isDone =
    doneColumn === undefined
      ? event === undefined
      : doneValues.includes((textOf(row[doneColumn]) ?? '').toLowerCase())
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

async function store(
  connection: Connection,
  event: Found,
  isRepeat: boolean,
  adoption: Adoption,
): Promise<void> {
  const [stored] = await connection.query(`SELECT status, outcome FROM ${inbox} WHERE stripe_event_id = ?`, [
    event.id,
  ])
  if (stored) {
    if (!isRepeat) adoption.known++
    // One of several copies was processed: so the event was.
    if (isRepeat && event.status === 'done' && stored.status === 'pending' && stored.outcome === 'adopted') {
      await connection.query(`UPDATE ${inbox} SET status = 'done' WHERE stripe_event_id = ?`, [event.id])
      adoption.imported.pending--
      adoption.imported.done++
    }
    return
  }
  const time = storedTime(connection.provider, new Date())
  await connection.query(
    `INSERT INTO ${inbox} (stripe_event_id, source, type, object_id, customer_id, livemode, received_at, payload, status, attempts, next_attempt_at, outcome)
     VALUES (?, 'adopted', ?, ?, ?, ?, ?, ?, ${connection.provider === 'sqlite' ? '?' : 'CAST(? AS event_status)'}, 0, ?, 'adopted')`,
    [
      event.id,
      event.type,
      event.objectId,
      event.customerId,
      connection.provider === 'sqlite' ? 0 : false,
      time,
      event.payload,
      event.status,
      time,
    ],
  )
  if (event.status === 'pending') adoption.imported.pending++
  else adoption.imported.done++
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : `${value as number | boolean | bigint}`
}
