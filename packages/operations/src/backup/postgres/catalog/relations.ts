import type { PostgresClient } from '@outgrow/databases'

/** A relation of the database, as far as it decides what is backed up, and how. */
export interface Relation {
  oid: number
  schema: string
  name: string
  /** As SQL names it, with its schema. */
  label: string
  kind: 'table' | 'partitioned' | 'sequence' | 'foreign table'
  /** The table of which it is a partition. */
  parent: number | null
  isHashed: boolean
  sizeBytes: number
  /** Of an extension: only the rows that its condition admits are the user's, all where it is empty. */
  condition: string | null
  mayRead: boolean
  /** Policies would hide rows of it from this role. */
  hidesRows: boolean
}

/**
 * Tables, sequences and foreign tables that are the user's own, and that this server can read: not the system's, and of an extension's only those that it
 * declares as the user's configuration. Source: pg_dump, getTables and processExtensionTables.
 */
export async function readRelations(client: PostgresClient): Promise<Relation[]> {
  const { rows } = await client.query<Omit<Relation, 'sizeBytes'> & { sizeBytes: string }>(relationsSql)
  return rows.map((row) => ({ ...row, sizeBytes: Number(row.sizeBytes) }))
}

/** SQL of the schemas that are nobody's but the system's. */
export const systemSchema = (name: string): string =>
  `(${name} LIKE 'pg\\_%' OR ${name} = 'information_schema')`

const relationsSql = `
SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS label,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'S' THEN 'sequence' ELSE 'foreign table' END AS kind,
       (SELECT inhparent::int8::float8 FROM pg_inherits WHERE inhrelid = c.oid AND c.relispartition) AS parent,
       coalesce((SELECT partstrat = 'h' FROM pg_partitioned_table WHERE partrelid = c.oid), false) AS "isHashed",
       CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE 0 END AS "sizeBytes",
       CASE WHEN e.oid IS NOT NULL THEN coalesce(e.extcondition[array_position(e.extconfig, c.oid)], '') END AS condition,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS "mayRead",
       c.relkind <> 'S' AND row_security_active(c.oid) AS "hidesRows"
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = d.refobjid AND c.oid = ANY(e.extconfig)
 WHERE c.relkind IN ('r', 'p', 'S', 'f') AND c.relpersistence <> 't' AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery()) AND NOT ${systemSchema('n.nspname')}
   AND (d.objid IS NULL OR e.oid IS NOT NULL)
 ORDER BY array_position(e.extconfig, c.oid), n.nspname, c.relname`
