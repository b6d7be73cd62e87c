import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { sameDigest } from '../copy/digest.ts'
import type { PlannedTable } from '../plan.ts'
import { stagedName } from '../target/staging.ts'
import { qualified } from '../target/structure.ts'
import { encoderFor } from '../values/encoder-for.ts'
import type { Job } from './jobs.ts'
import type { LoadJobs } from './load.ts'
import type { Move } from './move.ts'

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
}

/** Makes such columns text before the load, once. */
export async function prepareCasts(move: Move, client: PostgresClient): Promise<void> {
  const at = castTable(move)
  const known = await client.query(`SELECT to_regclass($1) AS id`, [at])
  if ((known.rows[0] as { id: string | null }).id !== null) return
  await client.query('BEGIN')
  await client.query(
    `CREATE TABLE ${at} (schema text, table_name text, column_name text, type text, default_sql text, done boolean DEFAULT false)`,
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
    // A table that was cast by an earlier attempt was found equal before that.
    if (state && casts.every(({ done }) => done)) state.received = state.sent
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
  if (!move.findings.isEmpty && move.options.onBadValue === 'stop') return
  const state = move.tables.get(table)
  if (!state?.received || !sameDigest(state.sent, state.received)) return // the comparison names it
  await client.query('BEGIN')
  for (const { column_name: column, type, default_sql: initial } of casts) {
    const name = quoteIdentifier(column)
    try {
      await client.query(
        `ALTER TABLE ${qualified(table.target)} ALTER COLUMN ${name} TYPE ${type} USING ${name}::${type}${initial === null ? '' : `, ALTER COLUMN ${name} SET DEFAULT ${initial}`}`,
      )
    } catch (cause) {
      await client.query('ROLLBACK')
      if (!/^(22|23|42)/.test((cause as { code?: string }).code ?? '')) throw cause
      throw new Failure({
        code: 'OUTGROW_CAST_FAILED',
        message: `${table.source.name}.${column} cannot become ${type}: ${messageOf(cause)}`,
        fix: `Correct the value in the source, or choose another type with --cast ${table.source.name}.${column}=text and --restart.`,
        cause,
      })
    }
  }
  await client.query(`UPDATE ${castTable(move)} SET done = true WHERE schema = $1 AND table_name = $2`, [
    table.target.schema,
    table.target.name,
  ])
  await client.query('COMMIT')
}

function castTable(move: Move): string {
  return qualified({
    schema: stagedName(move.staging.run, move.staging.home, undefined),
    name: '_outgrow_cast',
  })
}
