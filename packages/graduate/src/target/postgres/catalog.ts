import type { PostgresClient } from '@outgrow/databases'
import type { TargetTable } from '../../model/table.ts'

/** Tables of the named schemas, with their columns in order. */
export async function readTargetTables(client: PostgresClient, schemas: string[]): Promise<TargetTable[]> {
  const { rows } = await client.query<{
    schema: string
    table: string
    name: string
    type: string
    type_oid: number
    sql_type: string
    modifier: number
    element: string | null
    element_oid: number | null
    labels: string[] | null
    not_null: boolean
    generated: boolean
    has_default: boolean
    sequence: string | null
  }>(
    `SELECT n.nspname AS schema, c.relname AS table, a.attname AS name,
            coalesce(b.typname, t.typname) AS type, coalesce(b.oid, t.oid)::int8::int AS type_oid,
            format_type(a.atttypid, a.atttypmod) AS sql_type,
            CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS modifier,
            e.typname AS element, e.oid::int8::int AS element_oid,
            (SELECT array_agg(l.enumlabel::text ORDER BY l.enumsortorder) FROM pg_enum l
              WHERE l.enumtypid = coalesce(e.oid, b.oid, t.oid)) AS labels,
            a.attnotnull OR t.typnotnull AS not_null,
            a.attgenerated <> '' AS generated, a.atthasdef OR a.attidentity <> '' AS has_default,
            pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) AS sequence
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
       LEFT JOIN pg_type e ON coalesce(b.typcategory, t.typcategory) = 'A'
             AND e.oid = coalesce(b.typelem, t.typelem)
      WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p')
      ORDER BY n.nspname, c.relname, a.attnum`,
    [schemas],
  )
  const tables = new Map<string, TargetTable>()
  for (const row of rows) {
    const key = JSON.stringify([row.schema, row.table])
    const table = tables.get(key) ?? { schema: row.schema, name: row.table, columns: [] }
    tables.set(key, table)
    table.columns.push({
      name: row.name,
      type: row.type,
      typeOid: row.type_oid,
      sqlType: row.sql_type,
      modifier: row.modifier,
      element: row.element === null ? undefined : { type: row.element, oid: row.element_oid as number },
      enumValues: row.labels ?? undefined,
      notNull: row.not_null,
      generated: row.generated,
      hasDefault: row.has_default,
      sequence: row.sequence ?? undefined,
    })
  }
  return [...tables.values()]
}
