import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { Constraint } from '../../model/table.ts'

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
            k.contype IN ('p', 'u') AS unique, k.contype IN ('p', 'u') AS plain,
            CASE WHEN k.contype IN ('p', 'u') THEN ${keysOf('k.conindid')} END AS keys, NULL::text AS predicate,
            coalesce((SELECT ${nullsNotDistinct} FROM pg_index x WHERE x.indexrelid = k.conindid), false) AS "nullsNotDistinct",
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
            (SELECT coalesce(array_agg(a.attname::text ORDER BY k.n), '{}')
               FROM unnest(x.indkey) WITH ORDINALITY k(attnum, n)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.n <= x.indnkeyatts),
            x.indisunique, x.indpred IS NULL AND x.indexprs IS NULL, ${keysOf('x.indexrelid')}, pg_get_expr(x.indpred, x.indrelid),
            ${nullsNotDistinct}, NULL
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

const keysOf = (index: string) =>
  `(SELECT array_agg(pg_get_indexdef(${index}, n, true) ORDER BY n) FROM generate_series(1, (SELECT indnkeyatts FROM pg_index WHERE indexrelid = ${index})) n)`

/** The column came with PostgreSQL 15. */
const nullsNotDistinct = `coalesce((to_jsonb(x)->>'indnullsnotdistinct')::boolean, false)`

/** Takes everything off that would slow the load down; NOT NULL and defaults stay. */
export async function dropConstraints(client: PostgresClient, constraints: Constraint[]): Promise<void> {
  for (const { schema, table, name, kind } of foreignLast(constraints).toReversed()) {
    await client.query(
      kind === 'index'
        ? `DROP INDEX IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
        : `ALTER TABLE ${qualified({ schema, name: table })} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)}`,
    )
  }
}

const order = { index: 0, primary: 1, unique: 1, check: 2, foreign: 3 }

/** In the order in which they can be made: a foreign key needs its parent's key. */
export function foreignLast(constraints: Constraint[]): Constraint[] {
  return constraints.toSorted((a, b) => order[a.kind] - order[b.kind])
}

export function qualified({ schema, name }: { schema: string; name: string }): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

/** Adds one constraint or index, or what an earlier attempt left undone of it. */
export async function addConstraint(client: PostgresClient, constraint: Constraint): Promise<void> {
  const isValid = await declareConstraint(client, constraint)
  // Some were never to be held against the rows that are there.
  if (isValid || /NOT (VALID|ENFORCED)$/.test(constraint.definition ?? '')) return
  const table = qualified({ schema: constraint.schema, name: constraint.table })
  await client.query(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${quoteIdentifier(constraint.name)}`)
}

/** Adds a constraint or index; checks and foreign keys without looking at the rows. Returns whether it is whole. */
export async function declareConstraint(client: PostgresClient, constraint: Constraint): Promise<boolean> {
  const table = qualified({ schema: constraint.schema, name: constraint.table })
  const name = quoteIdentifier(constraint.name)
  const index = await client.query<{ valid: boolean }>(
    `SELECT x.indisvalid AS valid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
       JOIN pg_namespace n ON n.oid = i.relnamespace WHERE n.nspname = $1 AND i.relname = $2`,
    [constraint.schema, constraint.name],
  )
  if (constraint.indexSql !== null && index.rows.length === 0) await client.query(constraint.indexSql)
  if (constraint.kind === 'index') return true
  const known = await client.query<{ valid: boolean }>(
    `SELECT k.convalidated AS valid FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND k.conname = $3`,
    [constraint.schema, constraint.table, constraint.name],
  )
  const checkedLater = constraint.kind === 'foreign' || constraint.kind === 'check'
  if (known.rows.length === 0) {
    if (checkedLater) {
      const notValid = /NOT (VALID|ENFORCED)$/.test(constraint.definition ?? '') ? '' : ' NOT VALID'
      await client.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${constraint.definition}${notValid}`)
    } else if (constraint.indexSql === null) {
      await client.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${constraint.definition}`)
    } else {
      const kind = constraint.kind === 'primary' ? 'PRIMARY KEY' : 'UNIQUE'
      const deferrable = /( NOT)? DEFERRABLE.*$/.exec(constraint.definition ?? '')?.[0] ?? ''
      await client.query(
        `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${kind} USING INDEX ${name}${deferrable}`,
      )
    }
  }
  return !checkedLater || known.rows[0]?.valid === true
}
