import type { ColumnRole } from './adoption.ts'
import { quoted } from '../prisma/sql/quoted.ts'
import type { Column, KeyColumn } from './catalog.ts'
import type { AdoptConnection, Row } from './connection.ts'
import { inboxSql } from './inbox-table.ts'
import type { EventSource } from './source.ts'
import type { StoredRow } from './stored-event.ts'
import { textOf } from './stored-value.ts'

/** Of a table in the order of its key. What has to be sorted for every page is read in larger ones. */
const maxPageRows = { keyed: 500, sorted: 5000 }
/** Of payloads in memory, about. */
const maxPageBytes = 16_000_000

/**
 * Reads the table page by page, each in a statement of its own: nothing is locked in between, and the application goes on
 * writing. By its key each row is read once; what has none is ordered by what is read of it. At most 500 rows at a time.
 * @param inbox the inbox's table, where it is there: payloads of events that it has are not read
 */
export async function* readPages(
  connection: AdoptConnection,
  source: EventSource,
  inbox: string | undefined,
): AsyncGenerator<StoredRow[]> {
  const page = pageSql(connection, source, inbox)
  const most = maxPageRows[page.isKeyed ? 'keyed' : 'sorted']
  let limit = most
  let last: Row | undefined
  /** How many rows with the last key have been read, where several may have it. */
  let seen = 0
  for (;;) {
    const { sql, values } = page.after(last, limit, seen)
    const rows = await connection.query(sql, values)
    for (let at = 0; at < rows.length; at += maxPageRows.keyed)
      yield rows.slice(at, at + maxPageRows.keyed).map((row) => page.read(row))
    if (rows.length < limit) return
    const next = rows.at(-1) as Row
    if (!page.isUnique) {
      const same = rows.filter(({ k0 }) => k0 === next.k0).length
      seen = last?.k0 === next.k0 ? seen + same : same
    }
    last = next
    const bytes = rows.reduce((sum, row) => sum + bytesOf(row.payload) + bytesOf(row.data), 0)
    limit = Math.max(10, Math.min(most, Math.floor((rows.length * maxPageBytes) / Math.max(bytes, 1))))
  }
}

interface PageSql {
  /** Whether the table has a key to read it by. */
  isKeyed: boolean
  /** Whether the order tells every row from the others. */
  isUnique: boolean
  /** The page behind a row; the first where there is none. */
  after(last: Row | undefined, limit: number, seen: number): { sql: string; values: unknown[] }
  read(row: Row): StoredRow
}

function pageSql(connection: AdoptConnection, source: EventSource, inbox: string | undefined): PageSql {
  const { table, columns, only } = source
  const isPostgres = connection.provider === 'postgres'
  const text = (column: Column) => (isPostgres ? `${sqlOf(column)}::text` : sqlOf(column))
  // The text of a column is the same whatever the driver makes of its type; bytes have none.
  const value = (column: Column) => (column.kind === 'bytes' ? sqlOf(column) : text(column))
  // By the inbox's unique key, row by row: of EXISTS, Postgres makes a hash of the whole inbox for every page, and in the
  // column's collation the key could not be used.
  const collation = isPostgres ? ' COLLATE "default"' : ''
  const known =
    inbox === undefined || columns.id === undefined || columns.id.kind === 'bytes'
      ? undefined
      : `coalesce((SELECT i.status <> 'dead' FROM ${inboxSql(connection, inbox)} i WHERE i.stripe_event_id = ${text(columns.id)}${collation}), ${isPostgres ? 'false' : '0'})`
  const isBody = (role: string) => role === 'payload' || role === 'data'
  const read = Object.entries(columns) as [ColumnRole, Column][]
  const isKeyed = table.key.length > 0
  const isUnique = isKeyed || table.place !== undefined
  // Without a key, rows with one id come together; which of them comes first, their place decides, or else their text. The
  // payloads' too, at last: of rows that nothing else tells apart, any two pages might have the same one, and none another.
  const sorted = read.toSorted(([a], [b]) => rank.indexOf(a) - rank.indexOf(b))
  const short = sorted.filter(([role]) => !isBody(role))
  const [first, ...others] = sorted.map(([, column]) => `coalesce(CAST(${sqlOf(column)} AS text), '')`)
  const key: KeyColumn[] = isKeyed
    ? table.key.map(({ sql, type }) => ({ sql: `t.${sql}`, type }))
    : [
        ...(short.length > 0 || !table.place ? [{ sql: first ?? "''", type: 'text' }] : []),
        ...(table.place ? [{ sql: `t.${table.place.sql}`, type: table.place.type }] : []),
      ]
  const selected = [
    ...read.map(([role, column]) =>
      isBody(role) && known !== undefined
        ? `CASE WHEN ${known} THEN NULL ELSE ${value(column)} END AS "${role}"`
        : `${value(column)} AS "${role}"`,
    ),
    `${known ?? (isPostgres ? 'false' : '0')} AS "isKnown"`,
    ...(only ? [`${value(only.column)} AS "only"`] : []),
    // As text, since a number may be beyond what JavaScript's hold.
    ...key.map(({ sql, type }, at) =>
      type === undefined
        ? `typeof(${sql}) AS t${at}, CASE typeof(${sql}) WHEN 'integer' THEN CAST(${sql} AS text) ELSE ${sql} END AS k${at}`
        : `CAST(${sql} AS text) AS k${at}`,
    ),
  ]
  const left = key.map(({ sql }) => sql).join(', ')
  const order = [left, ...(isUnique ? [] : others)].join(', ')
  const typeOf = (row: Row, at: number) =>
    key[at]?.type ?? (row[`t${at}`] === 'integer' ? 'integer' : undefined)
  const behind = (row: Row) =>
    key.map((_, at) => (typeOf(row, at) === undefined ? '?' : `CAST(? AS ${typeOf(row, at)})`)).join(', ')
  return {
    isKeyed,
    isUnique,
    after: (last, limit, seen) => ({
      sql: `SELECT ${selected.join(', ')} FROM ${table.sql} t${
        last === undefined ? '' : ` WHERE (${left}) ${isUnique ? '>' : '>='} (${behind(last)})`
      } ORDER BY ${order} LIMIT ${limit}${isUnique ? '' : ` OFFSET ${seen}`}`,
      values: last === undefined ? [] : key.map((_, at) => last[`k${at}`]),
    }),
    read: (row) => ({
      ...row,
      isKnown: row.isKnown === true || row.isKnown === 1,
      isOurs: only === undefined || textOf(row.only) === only.value,
    }),
  }
}

/** What comes first where a table has no key: what tells the rows apart soonest, and is short. */
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

/** With its table: what is selected may have the same name. */
function sqlOf({ name }: Column): string {
  return `t.${quoted(name)}`
}

function bytesOf(value: unknown): number {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 0
}
