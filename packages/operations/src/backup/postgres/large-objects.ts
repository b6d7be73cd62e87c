import type { PostgresClient } from '@outgrow/databases'
import type { StoredRowSet } from './catalog/row-sets.ts'

const pageBytes = 1_048_576

/** Large objects as rows: their oid, an offset, the bytes from there on. An empty one has a row without bytes. */
export const largeObjectRows: StoredRowSet = {
  label: 'large objects',
  from: `(WITH sizes AS MATERIALIZED (
             SELECT oid, lo_lseek64(lo_open(oid, 262144), 0, 2) AS size FROM pg_largeobject_metadata)
           SELECT oid::int8 AS id, page * ${pageBytes} AS "from", lo_get(oid, page * ${pageBytes}, ${pageBytes}) AS bytes
             FROM sizes CROSS JOIN generate_series(0::int8, greatest(size - 1, 0) / ${pageBytes}) page)`,
  columns: [
    { name: 'id', type: 'int8', send: 'int8send' },
    { name: 'from', type: 'int8', send: 'int8send' },
    { name: 'bytes', type: 'bytea', send: 'byteasend' },
  ].map((column) => ({ ...column, isList: false, asText: false, fullType: column.type, presenceOnly: false })),
  condition: '',
  isPartitioned: true,
  // Nobody but a superuser can ask: they get an object of their own.
  sizeBytes: Number.MAX_SAFE_INTEGER,
}

export async function countLargeObjects(client: PostgresClient): Promise<number> {
  const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM pg_largeobject_metadata')
  return Number(rows[0]?.count)
}

/** Makes large objects of the rows of a table of that form. */
export const makeLargeObjects = (from: string): string[] => [
  `SELECT count(lo_create(id::oid)) FROM (SELECT DISTINCT id FROM ${from}) ids`,
  `SELECT count(*) FROM (SELECT lo_put(id::oid, "from", bytes) FROM ${from} WHERE length(bytes) > 0 OFFSET 0) put`,
]
