import type { PostgresClient } from '@outgrow/databases'
import type { HashedColumn } from '@outgrow/graduate'

/** A column that is backed up: one that is generated is not. */
export interface Column extends HashedColumn {
  /** Its binary form holds numbers that only this database knows. */
  asText: boolean
  /** As SQL writes it, with its schema. */
  fullType: string
}

/** Columns by the oid of their relation, in their order. To be asked outside of any search path. */
export async function readColumns(
  client: PostgresClient,
  oids: readonly number[],
): Promise<Map<number, Column[]>> {
  const { rows } = await client.query<Omit<Column, 'presenceOnly'> & { oid: number }>(columnsSql, [oids])
  const found = Map.groupBy(rows, ({ oid }) => oid)
  return new Map(
    oids.map((oid) => [
      oid,
      (found.get(oid) ?? []).map(({ name, type, send, isList, asText, fullType }) => ({
        // What is sent as text is hashed as text.
        ...(asText ? { type: 'text', send: 'textsend', isList: false } : { type, send, isList }),
        name,
        asText,
        fullType,
        presenceOnly: false,
      })),
    ]),
  )
}

/**
 * Binary forms that one database cannot read of another: names of objects are sent as their oids, and the elements of
 * arrays and the fields of composite types carry the oids of their types, which are the same everywhere only for the
 * built-in ones (below 10000: src/include/access/transam.h). And what has no binary form.
 */
const columnsSql = `
WITH RECURSIVE parts AS (
  SELECT DISTINCT a.atttypid AS column_type, a.atttypid AS part, false AS is_element
    FROM pg_attribute a WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT p.column_type, next.part, next.is_element FROM parts p JOIN pg_type t ON t.oid = p.part
   CROSS JOIN LATERAL (
     SELECT t.typbasetype AS part, false AS is_element WHERE t.typtype = 'd'
     UNION ALL SELECT t.typelem, true WHERE t.typcategory = 'A' AND t.typelem <> 0
     UNION ALL SELECT r.rngsubtype, false FROM pg_range r WHERE r.rngtypid = t.oid) next
), foreign_types AS (
  SELECT p.column_type FROM parts p JOIN pg_type t ON t.oid = p.part
   WHERE t.typtype IN ('c', 'p') OR t.typsend = 0 OR t.typreceive = 0 OR (p.is_element AND t.oid >= 10000)
      OR (t.typtype NOT IN ('b', 'd', 'e', 'r') AND t.oid >= 10000)
      OR t.typname IN ('aclitem', 'regclass', 'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper',
                       'regoperator', 'regproc', 'regprocedure', 'regrole', 'regtype', 'regdatabase', 'pg_node_tree')
), bases AS (
  SELECT t.oid, t.oid AS base FROM pg_type t WHERE t.oid IN (SELECT column_type FROM parts)
  UNION ALL
  SELECT b.oid, t.typbasetype FROM bases b JOIN pg_type t ON t.oid = b.base WHERE t.typtype = 'd'
)
SELECT a.attrelid::int8::float8 AS oid, a.attname AS name, b.typname AS type, t.typsend::regproc::text AS send,
       t.typcategory = 'A' AS "isList", t.oid IN (SELECT column_type FROM foreign_types) AS "asText",
       format_type(a.atttypid, a.atttypmod) AS "fullType"
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN bases o ON o.oid = t.oid
  JOIN pg_type b ON b.oid = o.base AND b.typtype <> 'd'
 WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY a.attrelid, a.attnum`
