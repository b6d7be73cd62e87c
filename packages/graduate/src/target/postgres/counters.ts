import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { PlannedTable } from '../../model/plan.ts'
import type { Staging } from '../../model/staging.ts'
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
  const counters: Counters = new Map()
  for (const table of tables) {
    for (const { name, type } of table.target.columns) {
      if (!/^(int[248]|numeric)$/.test(type)) continue
      for (const sequence of await sequencesOf(staging, client, table, name)) {
        const { rows } = await client.query<{ highest: string | null }>(
          `SELECT trunc(max(${quoteIdentifier(name)})::numeric)::text AS highest FROM ${qualified(table.target)}`,
        )
        const used = [BigInt(rows[0]?.highest ?? 0), counted.get(table.source.name) ?? 0n]
        const next = [...used.map((one) => one + 1n), await nextOf(client, sequence.position)]
        const known = counters.get(sequence.oid)
        counters.set(
          sequence.oid,
          [...next, ...(known === undefined ? [] : [known])].reduce((a, b) => (a > b ? a : b)),
        )
      }
    }
  }
  return counters
}

/** Sets the counters, within the caller's transaction: unlike setval, ALTER SEQUENCE is taken back with it. */
export async function setCounters(client: PostgresClient, counters: Counters): Promise<void> {
  for (const [oid, next] of counters) {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('ALTER SEQUENCE %I.%I RESTART WITH %s', n.nspname, c.relname, least($2::numeric, q.seqmax)) AS statement
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence q ON q.seqrelid = c.oid
        WHERE c.oid = $1 AND q.seqincrement > 0 AND $2::numeric > q.seqmin`,
      [oid, String(next)],
    )
    if (rows[0]) await client.query(rows[0].statement)
  }
}

/**
 * The counters that give a column its values: its own (of an identity that a copied table has anew, the position is that of
 * the table it takes the place of), or those that its default names.
 */
async function sequencesOf(
  staging: Staging,
  client: PostgresClient,
  { target }: PlannedTable,
  column: string,
): Promise<{ oid: string; position: string }[]> {
  const home =
    Object.entries(staging.schemas).find(([, staged]) => staged === target.schema)?.[0] ?? target.schema
  const original = staging.replaces ? qualified({ schema: home, name: target.name }) : qualified(target)
  const { rows } = await client.query<{ oid: string; position: string }>(
    `SELECT s.oid::text AS oid, coalesce(pg_get_serial_sequence($3, $2)::regclass::oid, s.oid)::text AS position
       FROM pg_class s
      WHERE s.relkind = 'S' AND (s.oid = pg_get_serial_sequence($1, $2)::regclass OR s.oid IN (
        SELECT x.refobjid FROM pg_attrdef d
          JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
          JOIN pg_depend x ON x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_class'::regclass
         WHERE d.adrelid = $1::regclass AND a.attname = $2))`,
    [qualified(target), column, original],
  )
  return rows
}

async function nextOf(client: PostgresClient, oid: string): Promise<bigint> {
  const { rows } = await client.query<{ name: string; step: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, q.seqincrement::text AS step FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence q ON q.seqrelid = c.oid WHERE c.oid = $1`,
    [oid],
  )
  const { name, step } = rows[0] as { name: string; step: string }
  const at = await client.query<{ next: string }>(
    `SELECT (CASE WHEN is_called THEN last_value::numeric + $1::numeric ELSE last_value END)::text AS next FROM ${name}`,
    [step],
  )
  return BigInt(at.rows[0]?.next ?? 1)
}
