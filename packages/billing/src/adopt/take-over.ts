import { Failure } from '@outgrow/kit'
import { quoted } from '../prisma/sql/quoted.ts'
import { storedTime } from '../stored-time.ts'
import { inbox, type Adoption, type AdoptRequest, type StoredColumns } from './adoption.ts'
import type { AdoptConnection } from './connection.ts'
import { eventOf, type StoredEvent } from './stored-event.ts'

const pageRows = 2000

/**
 * Takes the events of the application's own table over into the inbox, each once.
 * @throws Failure OUTGROW_ADOPT_TABLE
 */
export async function takeOver(
  connection: AdoptConnection,
  request: AdoptRequest & { table: string },
  adoption: Adoption,
): Promise<void> {
  await refuseUnknownColumns(connection, request)
  const names = [...new Set(namesOf(request.columns))].map((name) => quoted(name)).join(', ')
  // Nothing may come in between two pages. `json` has no order of its own, its text has.
  const isPostgres = connection.provider === 'postgres'
  const table = quoted(request.table)
  if (isPostgres) await connection.script(`LOCK TABLE ${table} IN SHARE MODE`)
  const order = isPostgres ? names.replaceAll(/"(?:[^"]|"")*"/g, '$&::text') : names
  const copies = new Map<string, number>()
  for (let offset = 0; ; offset += pageRows) {
    const rows = await connection.query(
      `SELECT ${names} FROM ${table} ORDER BY ${order} LIMIT ${pageRows} OFFSET ${offset}`,
    )
    for (const row of rows) {
      adoption.rowsRead++
      const event = eventOf(row, request)
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

function namesOf(columns: StoredColumns): string[] {
  return Object.values(columns).filter((name) => name !== undefined)
}

async function refuseUnknownColumns(
  connection: AdoptConnection,
  { table, columns }: { table: string; columns: StoredColumns },
): Promise<void> {
  const there = await connection.columnsOf(table)
  const missing = namesOf(columns).filter((name) => !there.includes(name))
  if (there.length > 0 && missing.length === 0 && (columns.id ?? columns.payload) !== undefined) return
  throw new Failure({
    code: 'OUTGROW_ADOPT_TABLE',
    message:
      there.length === 0
        ? `There is no table ${table}.`
        : missing.length > 0
          ? `The table ${table} has no column ${missing.join(', ')}; it has ${there.join(', ')}.`
          : `No column of ${table} was named for the event ids; it has ${there.join(', ')}.`,
    fix: 'Name the table with --table, and its columns with --column, --payload, --type and --done.',
  })
}

async function store(
  connection: AdoptConnection,
  event: StoredEvent,
  isRepeat: boolean,
  adoption: Adoption,
): Promise<void> {
  const [stored] = await connection.query(`SELECT status, outcome FROM ${inbox} WHERE stripe_event_id = ?`, [
    event.id,
  ])
  if (stored) {
    if (!isRepeat) adoption.known++
    // One of several copies was processed: so the event was.
    const { status } = stored
    if (
      isRepeat &&
      event.status === 'done' &&
      (status === 'pending' || status === 'dead') &&
      stored.outcome === 'adopted'
    ) {
      await connection.query(
        `UPDATE ${inbox} SET status = 'done', last_error = NULL WHERE stripe_event_id = ?`,
        [event.id],
      )
      adoption.imported[status]--
      adoption.imported.done++
    }
    return
  }
  const time = storedTime(connection.provider, new Date())
  await connection.query(
    `INSERT INTO ${inbox} (stripe_event_id, source, type, object_id, customer_id, livemode, received_at, payload, status, attempts, next_attempt_at, outcome, last_error)
     VALUES (?, 'adopted', ?, ?, ?, ?, ?, ?, ${connection.provider === 'sqlite' ? '?' : 'CAST(? AS event_status)'}, 0, ?, 'adopted', ?)`,
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
      event.error,
    ],
  )
  adoption.imported[event.status === 'ignored' ? 'done' : event.status]++
}
