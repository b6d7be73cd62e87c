import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { FollowedTable } from '../../../model/change.ts'
import type { PlannedColumn } from '../../../model/plan.ts'
import { isCast } from '../../../types/value-types.ts'
import { readHashedTables } from '../hashed-table.ts'
import { qualified } from '../constraints.ts'
import { fieldOf, rowHash } from '../row-hash.ts'

/** The SQL that changes a followed table, for its rows by their keys. */
export interface FollowedSql {
  table: FollowedTable
  /** OIDs of the key's types, and of arrays of them. */
  elements: number[]
  arrays: number[]
  /** Takes arrays of keys. */
  remove: string
  /** Takes arrays of keys: how many of them have rows, and the sum of those rows' hashes. */
  digest: string
  /** Where the server casts rows from text: the table that they are loaded into, and what takes them from there. */
  casting: { begin: string[]; columns: string; insert: string } | undefined
}

/** Prepares the SQL for tables in the schemas where they are now. */
export async function followedSql(
  client: PostgresClient,
  tables: readonly FollowedTable[],
): Promise<Map<number, FollowedSql>> {
  const hashed = await readHashedTables(
    client,
    tables.map(({ planned }) => ({
      ...planned,
      columns: planned.columns.map((column) => ({ ...column, presenceOnly: isCast(column) })),
    })),
  )
  const arrays = await arrayTypes(client, tables)
  return new Map(
    tables.map((table, at) => {
      const { planned, number } = table
      const keys = table.key.map((position) => planned.columns[position] as PlannedColumn)
      const elements = keys.map(({ target }) => target.typeOid)
      const names = keys.map((_, n) => `k${n}`)
      const listed = `unnest(${keys.map((_, n) => `$${n + 1}`).join(', ')}) AS d(${names.join(', ')})`
      const same = keys.map(({ target }, n) => `t.${quoteIdentifier(target.name)} = d.k${n}`).join(' AND ')
      const { columns, source } = hashed[at] as (typeof hashed)[number]
      return [
        number,
        {
          table,
          elements,
          arrays: elements.map((oid) => arrays.get(oid) as number),
          remove: `DELETE FROM ${source} USING ${listed} WHERE ${same}`,
          digest: `SELECT count(*), sum(${rowHash(columns.map(fieldOf))}) FROM ${source} WHERE EXISTS (SELECT 1 FROM ${listed} WHERE ${same})`,
          casting: castingOf(table),
        },
      ]
    }),
  )
}

function castingOf({ number, planned }: FollowedTable): FollowedSql['casting'] {
  if (!planned.columns.some(isCast)) return undefined
  const names = planned.columns.map(({ target }) => quoteIdentifier(target.name))
  const values = planned.columns.map((column) => {
    const name = quoteIdentifier(column.target.name)
    return isCast(column) ? `${name}::${column.castTo ?? column.target.sqlType}` : name
  })
  const typed = planned.columns.map((column) => {
    const name = quoteIdentifier(column.target.name)
    return isCast(column) ? `NULL::text AS ${name}` : name
  })
  const loaded = `pg_temp.outgrow_loaded_${number}`
  return {
    begin: [
      `CREATE TEMP TABLE IF NOT EXISTS outgrow_loaded_${number} ON COMMIT DELETE ROWS AS SELECT ${typed.join(', ')} FROM ${qualified(planned.target)} WHERE false`,
      // Another batch of the same transaction may have been there.
      `DELETE FROM ${loaded}`,
    ],
    columns: `${loaded} (${names.join(', ')})`,
    insert: `INSERT INTO ${qualified(planned.target)} (${names.join(', ')}) SELECT ${values.join(', ')} FROM ${loaded}`,
  }
}

async function arrayTypes(
  client: PostgresClient,
  tables: readonly FollowedTable[],
): Promise<Map<number, number>> {
  const oids = tables.flatMap(({ planned, key }) => key.map((at) => planned.columns[at]?.target.typeOid ?? 0))
  const { rows } = await client.query<{ element: number; array: number }>(
    'SELECT oid::int8::int AS element, typarray::int8::int AS array FROM pg_type WHERE oid = ANY($1::oid[])',
    [[...new Set(oids)]],
  )
  return new Map(rows.map(({ element, array }) => [element, array]))
}
