import type { PostgresClient } from '@outgrow/databases'
import type { RowSet } from './rows.ts'

const pageBytes = 1_048_576

/** Large objects as rows: their oid, an offset, the bytes from there on. An empty one has a row without bytes. */
export const largeObjectRows: RowSet = {
  label: 'large objects',
  from: `(WITH sizes AS MATERIALIZED (
             SELECT oid, lo_lseek64(lo_open(oid, 262144), 0, 2) AS size FROM pg_largeobject_metadata)
           SELECT oid::int8 AS id, page * ${pageBytes} AS "from", lo_get(oid, page * ${pageBytes}, ${pageBytes}) AS bytes
             FROM sizes CROSS JOIN generate_series(0::int8, greatest(size - 1, 0) / ${pageBytes}) page)`,
  columns: [
    { name: 'id', type: 'int8', send: 'int8send' },
    { name: 'from', type: 'int8', send: 'int8send' },
    { name: 'bytes', type: 'bytea', send: 'byteasend' },
  ].map((column) => ({
    ...column,
    isList: false,
    asText: false,
    fullType: column.type,
    presenceOnly: false,
  })),
  condition: '',
  isPartitioned: true,
}

/** How large they are together; undefined when there are none. */
export async function sizeOfLargeObjects(client: PostgresClient): Promise<number | undefined> {
  const { rows } = await client.query<{ size: string }>(
    "SELECT pg_table_size('pg_largeobject') AS size FROM pg_largeobject_metadata LIMIT 1",
  )
  return rows[0] && Number(rows[0].size)
}

/** Makes large objects of the rows of a table of that form. */
export const makeLargeObjects = (from: string): string[] => [
  `SELECT count(lo_create(id::oid)) FROM (SELECT DISTINCT id FROM ${from}) ids`,
  `SELECT count(*) FROM (SELECT lo_put(id::oid, "from", bytes) FROM ${from} WHERE length(bytes) > 0 OFFSET 0) put`,
]
