import type { PostgresClient } from '@outgrow/databases'
import type { PlannedTable } from '../../model/plan.ts'
import { qualified } from './constraints.ts'
import { valueOf, type HashedColumn } from './row-hash.ts'

/** A table as it is hashed. */
export interface HashedTable {
  columns: HashedColumn[]
  /** What stands behind FROM, where the table is called `t`. */
  source: string
  /** Its size. */
  blocks: number
}

/** A table's planned columns as they are by now: casts change their types. */
export async function readHashed(client: PostgresClient, table: PlannedTable): Promise<HashedTable> {
  const [hashed] = await readHashedTables(client, [table])
  return hashed as HashedTable
}

export async function readHashedTables(
  client: PostgresClient,
  tables: readonly PlannedTable[],
): Promise<HashedTable[]> {
  const { rows } = await client.query<HashedColumn & { at: string; partitioned: boolean; blocks: string }>(
    `SELECT o.at, a.attname AS name, coalesce(b.typname, t.typname) AS type, t.typsend::regproc::text AS send,
            t.typcategory = 'A' AS "isList", c.relkind = 'p' AS partitioned,
            pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks
       FROM unnest($1::regclass[]) WITH ORDINALITY o(id, at)
       JOIN pg_class c ON c.oid = o.id
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype`,
    [tables.map(({ target }) => qualified(target))],
  )
  const known = Map.groupBy(rows, ({ at }) => Number(at) - 1)
  return tables.map((table, at) => {
    const own = new Map(known.get(at)?.map((column) => [column.name, column]))
    const [first] = own.values()
    return {
      columns: table.columns.map(({ target, presenceOnly = false }) => {
        const column = own.get(target.name)
        if (column === undefined) throw new Error(`${qualified(table.target)} has no column ${target.name}`)
        return { ...column, presenceOnly }
      }),
      // COPY leaves out what inherits from a table, unless that is partitioned.
      source: `${first?.partitioned === true ? '' : 'ONLY '}${qualified(table.target)} t`,
      blocks: Number(first?.blocks ?? 0),
    }
  })
}

/** Has rows come back in their binary form, with some columns taken for NULL. */
export function copyOut(
  { columns, source }: HashedTable,
  { where = '', cleared = new Set<string>() }: { where?: string; cleared?: ReadonlySet<string> } = {},
): string {
  const values = columns.map((column) => (cleared.has(column.name) ? 'NULL' : valueOf(column)))
  return `COPY (SELECT ${values.join(', ')} FROM ${source} ${where}) TO STDOUT (FORMAT binary)`
}
