import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Ledger, PendingCast } from '../ledger/ledger.ts'
import type { FindingCollector } from '../model/collectors.ts'
import type { CopiedTable } from '../model/copied-table.ts'
import { applyToDigest, sameDigest, undoInDigest } from '../model/digest.ts'
import type { Plan, PlannedTable } from '../model/plan.ts'
import { hasBinaryForm } from '../types/value-types.ts'
import { castColumn, makeCastProblemFunction, makeText, typeName } from '../target/postgres/casts.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'
import type { Job } from './jobs.ts'
import { quarantineViolating } from './quarantine.ts'

/**
 * Columns whose type has no binary form here (inet, xml, money), and those of `--cast`, are loaded as text and cast
 * afterwards by the server's own input function. This makes them text; what they are to become is kept in the ledger.
 * @throws Failure OUTGROW_CAST_FAILED for a type that the server does not know
 */
export async function deferCasts(client: PostgresClient, ledger: Ledger, { tables }: Plan): Promise<void> {
  for (const table of tables) {
    for (const { target, castTo } of table.columns) {
      if (castTo !== undefined && (await typeName(client, castTo)) === undefined)
        throw unknownType(table, target.name, castTo)
    }
  }
  for (const { target, columns } of tables) {
    for (const { target: column, castTo } of columns) {
      if (castTo === undefined && hasBinaryForm(column)) continue
      await ledger.recordCast({
        schema: target.schema,
        table: target.name,
        column: column.name,
        type: castTo ?? column.sqlType,
        defaultSql: await makeText(client, target, column.name),
      })
    }
  }
}

interface CastState {
  readonly mustStop: boolean
  readonly findings: FindingCollector
  readonly quarantines: boolean
}

/** Casts a table’s columns, once its rows were hashed and found to be what was sent. Keys wait for it. */
export function castJob(
  ledger: Ledger,
  table: PlannedTable,
  copied: CopiedTable,
  casts: PendingCast[],
  state: CastState,
): Omit<Job, 'after'> {
  const [first] = casts
  if (first?.done) copied.sent = { rows: Number(first.rows), sum: BigInt(first.sum ?? 0) }
  const pending = casts.filter(({ done }) => !done)
  return {
    name: `cast ${table.source.name}`,
    run: async (target) => {
      if (!copied.received || pending.length === 0) return
      const before = await correctionsOf(ledger, target, table)
      if (!sameDigest(applyToDigest(copied.sent, before), copied.received)) return // the comparison names it
      for (const cast of pending) await findBadCasts(ledger, target, table, cast, state)
      if (state.mustStop) return
      await target.transaction(async () => {
        for (const cast of pending) await castColumn(target.client, table.target, cast)
        copied.received = await target.digest(table)
        copied.sent = undoInDigest(copied.received, await correctionsOf(ledger, target, table))
        await ledger.finishCasts(target.client, table.target, copied.sent)
      })
    },
  }
}

/** Values that the type refuses, or would take with a loss, become findings; their rows are quarantined where that was asked. */
async function findBadCasts(
  ledger: Ledger,
  target: PostgresTarget,
  table: PlannedTable,
  { column, type }: PendingCast,
  state: CastState,
): Promise<void> {
  const name = await typeName(target.client, type)
  if (name === undefined) throw unknownType(table, column, type)
  await makeCastProblemFunction(target.client, type, name)
  for (const [problem, reason] of [
    ['refused', `is not a valid ${type}`],
    ['lossy', `would lose part of its value as ${type}`],
  ] as const) {
    await quarantineViolating(ledger, target, table, state, {
      columns: [column],
      where: `t.${quoteIdentifier(column)} IS NOT NULL AND pg_temp.outgrow_cast_problem(t.${quoteIdentifier(column)}) = '${problem}'`,
      code: 'OUTGROW_BAD_VALUE',
      reason,
      fixes: [`--cast ${table.source.name}.${column}=text keeps it unchanged`],
    })
  }
}

async function correctionsOf(ledger: Ledger, { client }: PostgresTarget, { source }: PlannedTable) {
  return (await ledger.corrections(client)).filter(({ table }) => table === source.name)
}

function unknownType(table: PlannedTable, column: string, type: string): Failure {
  return new Failure({
    code: 'OUTGROW_CAST_FAILED',
    message: `${table.source.name}.${column} cannot become ${type}: the server has no such type.`,
    fix: `Choose another type, for example --cast ${table.source.name}.${column}=text.`,
  })
}
