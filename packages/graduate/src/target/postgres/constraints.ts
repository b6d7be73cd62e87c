import { pipelined, quoteIdentifier, runStatements, type PostgresClient } from '@outgrow/databases'
import type { Constraint } from '../../model/table.ts'

/**
 * Reads keys, indexes, foreign keys and checks of whole schemas, or of their tables of one name. The session's search_path
 * must name the schemas.
 */
export async function readConstraints(
  client: PostgresClient,
  schemas: string[],
  table?: string,
): Promise<Constraint[]> {
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
      WHERE n.nspname = ANY($1) AND c.relname = coalesce($2, c.relname) AND k.contype IN ('p', 'u', 'x', 'f', 'c')
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
      WHERE n.nspname = ANY($1) AND c.relname = coalesce($2, c.relname)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))`,
    [schemas, table],
  )
  return rows
}

const keysOf = (index: string) =>
  `(SELECT array_agg(pg_get_indexdef(${index}, n, true) ORDER BY n) FROM generate_series(1, (SELECT indnkeyatts FROM pg_index WHERE indexrelid = ${index})) n)`

/** The column came with PostgreSQL 15. */
const nullsNotDistinct = `coalesce((to_jsonb(x)->>'indnullsnotdistinct')::boolean, false)`

/** Takes everything off that would slow the load down; NOT NULL and defaults stay. */
export async function dropConstraints(client: PostgresClient, constraints: Constraint[]): Promise<void> {
  const statements = foreignLast(constraints)
    .toReversed()
    .map(({ schema, table, name, kind }) =>
      kind === 'index'
        ? `DROP INDEX IF EXISTS ${qualified({ schema, name })}`
        : `ALTER TABLE ${qualified({ schema, name: table })} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)}`,
    )
  await runStatements(client, statements)
}

const order = { index: 0, primary: 1, unique: 1, check: 2, foreign: 3 }

/** In the order in which they can be made: a foreign key needs its parent's key. */
export function foreignLast(constraints: Constraint[]): Constraint[] {
  return constraints.toSorted((a, b) => order[a.kind] - order[b.kind])
}

export function qualified({ schema, name }: { schema: string; name: string }): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

/**
 * Adds constraints and indexes, or what an earlier attempt left undone of them. Several are added in one transaction; what
 * one alone needs ends each by itself, so that other connections can build keys of the same table.
 */
export async function addConstraints(
  client: PostgresClient,
  constraints: Constraint[],
  known?: Standing,
): Promise<void> {
  const standing = known ?? (await readStanding(client, constraints))
  const statements = foreignLast(constraints).flatMap((constraint) => [
    ...declaring(constraint, standing),
    ...validating(constraint, standing),
  ])
  if (constraints.length > 1) await runStatements(client, statements)
  else await pipelined(client, () => statements.map((statement) => client.query(statement)))
}

/** Adds checks and foreign keys without looking at the rows, in one transaction. Returns what is there then. */
export async function declareConstraints(
  client: PostgresClient,
  constraints: Constraint[],
): Promise<Standing> {
  const standing = await readStanding(client, constraints)
  await runStatements(
    client,
    constraints.flatMap((constraint) => declaring(constraint, standing)),
  )
  return new Map([
    ...constraints.map((constraint) => [constraintKey(constraint), false] as const),
    ...standing,
  ])
}

/** What is there already of some constraints: the names of indexes and constraints, and whether rows were looked at. */
export type Standing = ReadonlyMap<string, boolean>

const indexKey = ({ schema, name }: Pick<Constraint, 'schema' | 'name'>) => JSON.stringify([schema, name])
const constraintKey = ({ schema, table, name }: Pick<Constraint, 'schema' | 'table' | 'name'>) =>
  JSON.stringify([schema, table, name])

export async function readStanding(client: PostgresClient, constraints: Constraint[]): Promise<Standing> {
  const { rows } = await client.query<{ schema: string; table: string | null; name: string; valid: boolean }>(
    `SELECT n.nspname AS schema, NULL AS table, i.relname AS name, x.indisvalid AS valid
       FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
      WHERE n.nspname = ANY($1) AND i.relname = ANY($2)
     UNION ALL
     SELECT n.nspname, c.relname, k.conname, k.convalidated
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND k.conname = ANY($2)`,
    [[...new Set(constraints.map(({ schema }) => schema))], constraints.map(({ name }) => name)],
  )
  return new Map(
    rows.map(({ schema, table, name, valid }) => [
      table === null ? indexKey({ schema, name }) : constraintKey({ schema, table, name }),
      valid,
    ]),
  )
}

/** Some were never to be held against the rows that are there. */
const neverValidated = /NOT (VALID|ENFORCED)$/

function declaring(constraint: Constraint, standing: Standing): string[] {
  const { indexSql, kind } = constraint
  const index = indexSql !== null && !standing.has(indexKey(constraint)) ? [indexSql] : []
  if (kind === 'index' || standing.has(constraintKey(constraint))) return index
  return [...index, `${alterTable(constraint)} ADD CONSTRAINT ${declared(constraint)}`]
}

/** SQL that adds a check or a foreign key without looking at the rows. */
export function declareSql(constraint: Constraint): string {
  return `${alterTable(constraint)} ADD CONSTRAINT ${declared(constraint)}`
}

export function undeclareSql(constraint: Constraint): string {
  return `${alterTable(constraint)} DROP CONSTRAINT ${quoteIdentifier(constraint.name)}`
}

function declared({ kind, name, definition, indexSql }: Constraint): string {
  const quoted = quoteIdentifier(name)
  const text = definition ?? ''
  if (kind === 'foreign' || kind === 'check')
    return `${quoted} ${text}${neverValidated.test(text) ? '' : ' NOT VALID'}`
  if (indexSql === null) return `${quoted} ${text}`
  const deferrable = /( NOT)? DEFERRABLE.*$/.exec(text)?.[0] ?? ''
  return `${quoted} ${kind === 'primary' ? 'PRIMARY KEY' : 'UNIQUE'} USING INDEX ${quoted}${deferrable}`
}

function validating(constraint: Constraint, standing: Standing): string[] {
  const { kind, name, definition } = constraint
  const isChecked = (kind === 'foreign' || kind === 'check') && !neverValidated.test(definition ?? '')
  if (!isChecked || standing.get(constraintKey(constraint)) === true) return []
  return [`${alterTable(constraint)} VALIDATE CONSTRAINT ${quoteIdentifier(name)}`]
}

function alterTable({ schema, table }: Constraint): string {
  return `ALTER TABLE ${qualified({ schema, name: table })}`
}
