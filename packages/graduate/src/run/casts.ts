import { Failure } from '@outgrow/kit'
import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { expectedDigest, sameDigest, withoutAdjustments } from '../copy/digest.ts'
import type { PlannedTable } from '../plan.ts'
import { stagedName } from '../target/staging.ts'
import { qualified } from '../target/structure.ts'
import { encoderFor } from '../values/encoder-for.ts'
import type { Job } from './jobs.ts'
import { readAdjustments, settleRows, type Adjustment } from './adjust.ts'
import { digestOfTarget, type LoadJobs } from './load.ts'
import { mustStop, type Move } from './move.ts'

/**
 * Columns whose type has no binary form here (inet, xml, money), and those of `--cast`: their values are loaded as text,
 * and cast afterwards by the server's own input function. What is to be cast is kept in the target, for `--resume`.
 */
interface PendingCast {
  schema: string
  table_name: string
  column_name: string
  type: string
  default_sql: string | null
  done: boolean
  /** What was sent, as it reads after the cast: what the table is compared with from then on. */
  rows: string | null
  hash_sum: string | null
}

/**
 * Makes such columns text before the load, once.
 * @throws Failure OUTGROW_CAST_FAILED for a type that the server does not know
 */
export async function prepareCasts(move: Move, client: PostgresClient): Promise<void> {
  const at = castTable(move)
  const known = await client.query(`SELECT to_regclass($1) AS id`, [at])
  if ((known.rows[0] as { id: string | null }).id !== null) return
  for (const table of move.plan.tables) {
    for (const { target, castTo } of table.columns) {
      if (castTo !== undefined && (await typeName(client, castTo)) === undefined)
        throw unknownType(table, target.name, castTo)
    }
  }
  await client.query('BEGIN')
  await client.query(
    `CREATE TABLE ${at} (schema text, table_name text, column_name text, type text, default_sql text, done boolean DEFAULT false, rows int8, hash_sum numeric,
       PRIMARY KEY (schema, table_name, column_name))`,
  )
  for (const { target, columns } of move.plan.tables) {
    for (const { target: column, castTo } of columns) {
      if (castTo === undefined && encoderFor({ target: column, looksLikeSeconds: () => false })) continue
      const name = quoteIdentifier(column.name)
      await client.query(
        `INSERT INTO ${at} SELECT $1, $2, $3::text, $4, (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
           JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
          WHERE d.adrelid = $5::regclass AND a.attname = $3::text)`,
        [target.schema, target.name, column.name, castTo ?? column.sqlType, qualified(target)],
      )
      await client.query(
        `ALTER TABLE ${qualified(target)} ALTER COLUMN ${name} DROP DEFAULT, ALTER COLUMN ${name} TYPE text`,
      )
    }
  }
  await client.query('COMMIT')
}

/** One job a table that casts its columns, once it is loaded and read back. Keys wait for it. */
export async function castJobs(move: Move, client: PostgresClient, load: LoadJobs): Promise<Job[]> {
  const { rows } = await client.query<PendingCast>(`SELECT * FROM ${castTable(move)}`)
  return move.plan.tables.flatMap((table) => {
    const casts = rows.filter(
      (row) => row.schema === table.target.schema && row.table_name === table.target.name,
    )
    if (casts.length === 0) return []
    const state = move.tables.get(table)
    const [first] = casts
    if (state && first?.done) state.sent = { rows: Number(first.rows), sum: BigInt(first.hash_sum ?? 0) }
    const job: Job = {
      name: `cast ${table.source.name}`,
      after: [load.readBack.get(table) as Job],
      run: (connection) =>
        castColumns(
          move,
          connection,
          table,
          casts.filter(({ done }) => !done),
        ),
    }
    load.loaded.set(table, [job])
    return [job]
  })
}

async function castColumns(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  casts: PendingCast[],
): Promise<void> {
  const state = move.tables.get(table)
  if (!state?.received || casts.length === 0) return
  const before = await adjustmentsOf(move, client, table)
  if (!sameDigest(expectedDigest(state.sent, before), state.received)) return // the comparison names it
  for (const cast of casts) await settleBadCasts(move, client, table, cast)
  if (mustStop(move)) return
  await client.query('BEGIN')
  for (const { column_name: column, type, default_sql: initial } of casts) {
    const name = quoteIdentifier(column)
    await client.query(
      `ALTER TABLE ${qualified(table.target)} ALTER COLUMN ${name} TYPE ${type} USING ${name}::${type}${initial === null ? '' : `, ALTER COLUMN ${name} SET DEFAULT ${initial}`}`,
    )
  }
  state.received = await digestOfTarget(move, client, table)
  const settled = await adjustmentsOf(move, client, table)
  state.sent = withoutAdjustments(state.received, settled)
  await client.query(
    `UPDATE ${castTable(move)} SET done = true, rows = $3, hash_sum = $4 WHERE schema = $1 AND table_name = $2`,
    [table.target.schema, table.target.name, state.sent.rows, String(state.sent.sum)],
  )
  await client.query('COMMIT')
}

/** Values that the type refuses, or would take with a loss, become findings; their rows are set aside where that was asked. */
async function settleBadCasts(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  { column_name: column, type }: PendingCast,
): Promise<void> {
  const name = await typeName(client, type)
  if (name === undefined) throw unknownType(table, column, type)
  await client.query(castProblemFunction(type, name))
  for (const [problem, reason] of [
    ['refused', `is nothing that ${type} takes`],
    ['lossy', `would lose a part of it as ${type}`],
  ] as const) {
    await settleRows(move, client, table, [column], {
      where: `t.${quoteIdentifier(column)} IS NOT NULL AND pg_temp.outgrow_cast_problem(t.${quoteIdentifier(column)}) = '${problem}'`,
      code: 'OUTGROW_BAD_VALUE',
      reason,
      fixes: [`--cast ${table.source.name}.${column}=text keeps it as it is`],
    })
  }
}

/**
 * A function of the session that tells what a cast would do to a text: NULL when nothing is lost. A loss shows when the
 * value is compared in the type without its limits, or in a wider one.
 */
function castProblemFunction(type: string, name: string): string {
  const wide = wider[name]
  const dropsDate = /^timet?z?$/.test(name) ? ` OR v ~ '^\\s*\\d{4}-' AND v !~ '^\\s*1970-01-01'` : ''
  const isLossy =
    wide === undefined
      ? ''
      : `BEGIN
           IF (v::${type})::text::${wide} IS DISTINCT FROM v::${wide}${dropsDate} THEN RETURN 'lossy'; END IF;
         EXCEPTION WHEN OTHERS THEN NULL; -- text that the wider type does not read cannot be compared
         END;`
  return `CREATE OR REPLACE FUNCTION pg_temp.outgrow_cast_problem(v text) RETURNS text LANGUAGE plpgsql SET timezone = 'UTC' AS $outgrow$
    BEGIN
      PERFORM v::${type};
      ${isLossy}
      RETURN NULL;
    EXCEPTION WHEN OTHERS THEN RETURN 'refused';
    END $outgrow$`
}

async function typeName(client: PostgresClient, type: string): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT typname AS name FROM pg_type WHERE oid = to_regtype($1)',
    [type],
  )
  return rows[0]?.name
}

function unknownType(table: PlannedTable, column: string, type: string): Failure {
  return new Failure({
    code: 'OUTGROW_CAST_FAILED',
    message: `${table.source.name}.${column} cannot become ${type}: the server knows no such type.`,
    fix: `Choose another type with --cast ${table.source.name}.${column}=text.`,
  })
}

/** By the type's name in pg_type, the type in which its values are compared with what was stored. */
const wider: Record<string, string> = {
  varchar: 'text',
  citext: 'text',
  name: 'text',
  bpchar: 'bpchar', // blanks at the end are no part of the value
  numeric: 'numeric',
  money: 'numeric',
  int2: 'numeric',
  int4: 'numeric',
  int8: 'numeric',
  float4: 'float8',
  float8: 'float8',
  bit: 'varbit',
  varbit: 'varbit',
  date: 'timestamptz',
  timestamp: 'timestamptz',
  timestamptz: 'timestamptz',
  time: 'time',
  timetz: 'timetz',
  interval: 'interval',
}

async function adjustmentsOf(move: Move, client: PostgresClient, table: PlannedTable): Promise<Adjustment[]> {
  const all = await readAdjustments(client, stagedName(move.staging.run, move.staging.home, undefined))
  return all.filter((adjustment) => adjustment.table === table.source.name)
}

function castTable(move: Move): string {
  return qualified({
    schema: stagedName(move.staging.run, move.staging.home, undefined),
    name: '_outgrow_cast',
  })
}
