import { pipelined, quoteIdentifier, runStatements, type PostgresClient } from '@outgrow/databases'
import type { PlannedTable } from '../../model/plan.ts'
import { namesOfStaged, type Staging } from '../../model/staging.ts'
import { qualified } from './constraints.ts'

/** What a counter is to give next, by the counter's oid. */
export type Counters = Map<string, bigint>

/**
 * Where every counter must go on: past the highest id of all tables that it serves, past the source's own counter, which
 * remembers deleted rows, and never back from where it stands.
 * @param counted the source's counters, by table
 */
export async function nextCounters(
  client: PostgresClient,
  staging: Staging,
  tables: PlannedTable[],
  counted: ReadonlyMap<string, bigint>,
): Promise<Counters> {
  const columns = countedColumns(tables, counted)
  const sequences = await sequencesOf(client, staging, columns)
  const positions = await pipelined(client, () =>
    sequences.map(({ column, position, step }) =>
      client.query<{ highest: string; next: string }>(
        `SELECT (SELECT coalesce(trunc(max(${quoteIdentifier(column.name)})::numeric), 0) FROM ${qualified(column.table)})::text AS highest,
                (CASE WHEN is_called THEN last_value::numeric + $1::numeric ELSE last_value END)::text AS next FROM ${position}`,
        [step],
      ),
    ),
  )
  const counters: Counters = new Map()
  for (const [at, { rows }] of positions.entries()) {
    const { oid, column } = sequences[at] as (typeof sequences)[number]
    const { highest, next } = rows[0] as (typeof rows)[number]
    const candidates = [BigInt(highest) + 1n, column.counted + 1n, BigInt(next), counters.get(oid) ?? 0n]
    counters.set(
      oid,
      candidates.reduce((a, b) => (a > b ? a : b)),
    )
  }
  return counters
}

export function countedColumns(
  tables: PlannedTable[],
  counted: ReadonlyMap<string, bigint>,
): CountedColumn[] {
  return tables.flatMap(({ source, target }) =>
    target.columns
      .filter(({ type }) => /^(int[248]|numeric)$/.test(type))
      .map(({ name }) => ({ table: target, name, counted: counted.get(source.name) ?? 0n })),
  )
}

/** Sets the counters, within the caller's transaction: unlike setval, ALTER SEQUENCE is taken back with it. */
export async function setCounters(client: PostgresClient, counters: Counters): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER SEQUENCE %I.%I RESTART WITH %s', n.nspname, c.relname, least(u.next, q.seqmax)) AS statement
       FROM unnest($1::oid[], $2::numeric[]) AS u(oid, next)
       JOIN pg_class c ON c.oid = u.oid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence q ON q.seqrelid = c.oid
      WHERE q.seqincrement > 0 AND u.next > q.seqmin`,
    [[...counters.keys()], [...counters.values()].map(String)],
  )
  await runStatements(
    client,
    rows.map(({ statement }) => statement),
  )
}

/** A column that may be given its values by a counter. */
export interface CountedColumn {
  table: PlannedTable['target']
  name: string
  /** The source's own counter. */
  counted: bigint
}

/**
 * The counters that give columns their values: a column's own (of an identity that a copied table has anew, the position is
 * that of the table it takes the place of), or those that its default names.
 */
export async function sequencesOf(
  client: PostgresClient,
  staging: Pick<Staging, 'home' | 'schemas' | 'replaces'>,
  columns: CountedColumn[],
): Promise<{ column: CountedColumn; oid: string; position: string; step: string }[]> {
  const homes = namesOfStaged(staging)
  const originals = columns.map(({ table }) =>
    qualified(staging.replaces ? { ...table, schema: homes[table.schema] ?? table.schema } : table),
  )
  const { rows } = await client.query<{ place: number; oid: string; position: string; step: string }>(
    // Materialized, so that the functions are called once a column and not once for each pair that is tried.
    `WITH own AS MATERIALIZED (
       SELECT c.place, s.oid, coalesce(pg_get_serial_sequence(c.original::text, c.name)::regclass::oid, s.oid) AS position
         FROM unnest($1::regclass[], $2::text[], $3::regclass[]) WITH ORDINALITY c(id, name, original, place)
        CROSS JOIN LATERAL (
          SELECT pg_get_serial_sequence(c.id::text, c.name)::regclass::oid AS oid
           UNION
          SELECT x.refobjid FROM pg_attrdef d
            JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            JOIN pg_depend x ON x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_class'::regclass
           WHERE d.adrelid = c.id AND a.attname = c.name) s)
     SELECT own.place::int AS place, s.oid::text AS oid, format('%I.%I', n.nspname, p.relname) AS position, q.seqincrement::text AS step
       FROM own
       JOIN pg_class s ON s.oid = own.oid AND s.relkind = 'S'
       JOIN pg_class p ON p.oid = own.position
       JOIN pg_namespace n ON n.oid = p.relnamespace
       JOIN pg_sequence q ON q.seqrelid = p.oid`,
    [columns.map(({ table }) => qualified(table)), columns.map(({ name }) => name), originals],
  )
  return rows.map(({ place, ...sequence }) => ({ ...sequence, column: columns[place - 1] as CountedColumn }))
}
