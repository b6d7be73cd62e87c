import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'

/** A key, index or check that is taken off before the load and put back after it. */
export interface Constraint {
  schema: string
  table: string
  name: string
  kind: 'primary' | 'unique' | 'index' | 'foreign' | 'check'
  /** SQL that makes the index behind it, for primary, unique and index. */
  indexSql: string | null
  /** What follows ADD CONSTRAINT name, for primary, unique, foreign and check. */
  definition: string | null
  columns: string[]
  /** Of a foreign key. */
  parent: { schema: string; table: string; columns: string[] } | null
}

/** Reads keys, indexes, foreign keys and checks of whole schemas. The session's search_path must name the schemas. */
export async function readConstraints(client: PostgresClient, schemas: string[]): Promise<Constraint[]> {
  const { rows } = await client.query<Constraint>(
    `SELECT n.nspname AS schema, c.relname AS table, k.conname AS name,
            CASE k.contype WHEN 'p' THEN 'primary' WHEN 'u' THEN 'unique' WHEN 'x' THEN 'unique'
                           WHEN 'f' THEN 'foreign' ELSE 'check' END AS kind,
            CASE WHEN k.contype IN ('p', 'u') THEN pg_get_indexdef(k.conindid) END AS "indexSql",
            pg_get_constraintdef(k.oid) AS definition,
            (SELECT array_agg(a.attname::text ORDER BY x.n) FROM unnest(k.conkey) WITH ORDINALITY x(attnum, n)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum) AS columns,
            CASE WHEN k.contype = 'f' THEN (SELECT json_build_object('schema', pn.nspname, 'table', p.relname,
              'columns', (SELECT json_agg(a.attname ORDER BY x.n) FROM unnest(k.confkey) WITH ORDINALITY x(attnum, n)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.attnum))
              FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE p.oid = k.confrelid) END AS parent
       FROM pg_constraint k
       JOIN pg_class c ON c.oid = k.conrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND k.contype IN ('p', 'u', 'x', 'f', 'c')
     UNION ALL
     SELECT n.nspname, c.relname, i.relname, 'index', pg_get_indexdef(i.oid), NULL,
            (SELECT coalesce(array_agg(a.attname::text), '{}') FROM unnest(x.indkey) k(attnum)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum), NULL
       FROM pg_index x
       JOIN pg_class i ON i.oid = x.indexrelid
       JOIN pg_class c ON c.oid = x.indrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))`,
    [schemas],
  )
  return rows
}

/** Takes everything off that would slow the load down; NOT NULL and defaults stay. */
export async function dropConstraints(client: PostgresClient, constraints: Constraint[]): Promise<void> {
  const order = { foreign: 0, check: 1, primary: 2, unique: 2, index: 3 }
  for (const { schema, table, name, kind } of constraints.toSorted((a, b) => order[a.kind] - order[b.kind])) {
    await client.query(
      kind === 'index'
        ? `DROP INDEX IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
        : `ALTER TABLE ${qualified({ schema, name: table })} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)}`,
    )
  }
}

export function qualified({ schema, name }: { schema: string; name: string }): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}
