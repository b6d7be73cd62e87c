import type { Constraint } from '../model/table.ts'
import type { Standing } from '../target/postgres/constraints.ts'
import type { Violation } from '../target/target.ts'
import { gathered } from './gathered.ts'
import type { Job } from './jobs.ts'
import type { Run } from './step.ts'

interface ConstraintState {
  readonly mustStop: boolean
  readonly violations: Violation[]
}

/** A table, as keys are built on it. */
export interface BuiltTable {
  rows: number
  /** Jobs that must be done before its keys. */
  after: readonly Job[]
}

/**
 * Puts keys, indexes and checks in place, and collects those that rows violate. Those of small tables are put in place
 * together, table by table: two connections that change the same tables in one transaction would wait for each other.
 * @param tableOf is undefined for a table that gets no rows
 * @param standing what is there already, of an earlier attempt
 */
export function constraintJobs(
  { request }: Run,
  constraints: Constraint[],
  tableOf: (constraint: Constraint) => BuiltTable | undefined,
  state: ConstraintState,
  standing: Standing,
): { job: Job; constraints: Constraint[] }[] {
  const tables = [
    ...Map.groupBy(constraints, ({ schema, table }) => JSON.stringify([schema, table])).values(),
  ].map((own) => ({ own, rows: 0, after: [], ...tableOf(own[0] as Constraint) }))
  return gathered(tables).flatMap((group) => {
    const all = group.flatMap(({ own }) => own)
    const after = [...new Set(group.flatMap((table) => table.after))]
    return (group.length > 1 ? [all] : all.map((one) => [one])).map((together) => ({
      constraints: together,
      job: {
        name: together.map(({ kind, name }) => `${kind} ${name}`).join(', '),
        after,
        run: async (target) => {
          if (state.mustStop) return
          request.signal.throwIfAborted()
          state.violations.push(...(await target.constrain(together, standing)))
        },
      },
    }))
  })
}
