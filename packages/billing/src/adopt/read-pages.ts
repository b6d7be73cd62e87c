import type { ColumnRole } from './adoption.ts'
import type { Column } from './catalog.ts'
import type { AdoptConnection, Row } from './connection.ts'
import type { EventSource } from './source.ts'
import type { StoredRow } from './stored-event.ts'
import { textOf } from './stored-value.ts'

const maxPageRows = 500
/** Of payloads in memory, about. */
const maxPageBytes = 16_000_000

/**
 * Reads the table page by page, each in a statement of its own: nothing is locked in between, and the application goes on
 * writing. By its key each row is read once; a view without one is ordered by what is read of it.
 * @param inbox SQL of the inbox's table, where it is there: payloads of events that it has are not read
 */
export async function* readPages(
  connection: AdoptConnection,
  source: EventSource,
  inbox: string | undefined,
): AsyncGenerator<StoredRow[]> {
  const page = pageSql(connection, source, inbox)
  let limit = maxPageRows
  let last: unknown[] | undefined
  /** How many rows with the last key have been read, where several may have it. */
  let seen = 0
  for (;;) {
    const rows = await connection.query(page.sql(last !== undefined, limit, seen), last ?? [])
    if (rows.length > 0) yield rows.map((row) => page.read(row))
    if (rows.length < limit) return
    const next = page.keyOf(rows.at(-1) as Row)
    if (!page.isUnique) {
      const isSame = (row: Row) => String(page.keyOf(row)[0]) === String(next[0])
      const count = rows.filter(isSame).length
      seen = last !== undefined && String(last[0]) === String(next[0]) ? seen + count : count
    }
    last = next
    const bytes = rows.reduce((sum, row) => sum + bytesOf(row.payload) + bytesOf(row.data), 0)
    limit = Math.max(10, Math.min(maxPageRows, Math.floor((rows.length * maxPageBytes) / Math.max(bytes, 1))))
  }
}

interface PageSql {
  isUnique: boolean
  sql(isLater: boolean, limit: number, seen: number): string
  keyOf(row: Row): unknown[]
  read(row: Row): StoredRow
}

function pageSql({ provider }: AdoptConnection, source: EventSource, inbox: string | undefined): PageSql {
  const { table, columns, only } = source
  const isPostgres = provider === 'postgres'
  const text = (column: Column) => (isPostgres ? `${sqlOf(column)}::text` : sqlOf(column))
  // The text of a column is the same whatever the driver makes of its type; bytes have none.
  const value = (column: Column) => (column.kind === 'bytes' ? sqlOf(column) : text(column))
  const known =
    inbox === undefined || columns.id === undefined || columns.id.kind === 'bytes'
      ? undefined
      : `EXISTS (SELECT 1 FROM ${inbox} i WHERE i.stripe_event_id = ${text(columns.id)} AND i.status <> 'dead')`
  const isBody = (role: string) => role === 'payload' || role === 'data'
  const read = Object.entries(columns) as [ColumnRole, Column][]
  const selected = [
    ...read.map(([role, column]) =>
      isBody(role) && known !== undefined
        ? `CASE WHEN ${known} THEN NULL ELSE ${value(column)} END AS ${alias(role)}`
        : `${value(column)} AS ${alias(role)}`,
    ),
    `${known ?? (isPostgres ? 'false' : '0')} AS "isKnown"`,
    ...(only ? [`${value(only.column)} AS "only"`] : []),
  ]
  const isUnique = table.key.length > 0
  // Without a key, rows with one id come together; which of them comes first is decided by the others' text.
  const [first, ...others] = read
    .toSorted(([a], [b]) => rankOf(a) - rankOf(b))
    .map(([, column]) => `coalesce(CAST(${sqlOf(column)} AS text), '')`)
  const key = isUnique ? table.key : [{ sql: first as string, type: 'text' }]
  const keys = key.map(
    (one, at) => `${isPostgres || one.type === 'INTEGER' ? `CAST(${one.sql} AS text)` : one.sql} AS k${at}`,
  )
  const bounds = key.map(({ type }) => (type === '' ? '?' : `CAST(? AS ${type})`)).join(', ')
  const left = key.map((one) => one.sql).join(', ')
  const order = [...key.map((one) => one.sql), ...(isUnique ? [] : others)].join(', ')
  return {
    isUnique,
    sql: (isLater, limit, seen) =>
      `SELECT ${[...selected, ...keys].join(', ')} FROM ${table.sql}${
        isLater ? ` WHERE (${left}) ${isUnique ? '>' : '>='} (${bounds})` : ''
      } ORDER BY ${order} LIMIT ${limit}${isUnique ? '' : ` OFFSET ${seen}`}`,
    keyOf: (row) => key.map((_, at) => row[`k${at}`]),
    read: (row) => ({
      ...row,
      isKnown: row.isKnown === true || row.isKnown === 1,
      isOurs: only === undefined || textOf(row.only) === only.value,
    }),
  }
}

const rank: readonly ColumnRole[] = [
  'id',
  'received',
  'created',
  'type',
  'done',
  'valid',
  'livemode',
  'apiVersion',
  'payload',
  'data',
]

function rankOf(role: ColumnRole): number {
  return rank.indexOf(role)
}

function alias(role: string): string {
  return `"${role}"`
}

function sqlOf({ name }: Column): string {
  return `"${name.replaceAll('"', '""')}"`
}

function bytesOf(value: unknown): number {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 0
}
