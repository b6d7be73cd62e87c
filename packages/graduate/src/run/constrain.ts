import type { PostgresClient } from '@outgrow/databases'
import type { PlannedTable } from '../plan.ts'
import { addConstraint, declareConstraint, type Constraint } from '../target/structure.ts'
import type { Job } from './jobs.ts'
import { mustStop, type Move } from './move.ts'

/** A constraint that Postgres refused, because of rows that break it. */
export interface Broken {
  constraint: Constraint
  /** SQLSTATE: 23505 duplicate, 23503 foreign key, 23514 check, 54000 index entry too large. */
  state: string
  message: string
}

const brokenByRows = new Set(['23505', '23503', '23514', '54000'])

/** Puts keys and indexes back, each as soon as its table is loaded. What rows break is collected. */
export function keyJobs(move: Move, loaded: Map<PlannedTable, Job[]>, broken: Broken[]): Job[] {
  return move.staging.constraints
    .filter(({ kind }) => kind !== 'foreign')
    .map((constraint) => ({
      name: `${constraint.kind} ${constraint.name}`,
      after: loaded.get(tableOf(move, constraint) as PlannedTable) ?? [],
      run: (client) => addUnlessBroken(move, client, constraint, broken),
    }))
}

/**
 * Foreign keys: declared first, checked afterwards, so that the check needs no strong lock. Declaring locks both tables,
 * and two connections that declare keys of tables that point at each other would wait for each other: one does them all.
 */
export function foreignKeyJobs(move: Move, broken: Broken[]): Job[] {
  const keys = move.staging.constraints.filter(({ kind }) => kind === 'foreign')
  const declare: Job = {
    name: 'declare foreign keys',
    after: [],
    run: async (client) => {
      for (const key of keys) {
        move.signal.throwIfAborted()
        await declareConstraint(client, key)
      }
    },
  }
  return [
    declare,
    ...keys.map((constraint): Job => ({
      name: `foreign key ${constraint.name}`,
      after: [declare],
      run: (client) => addUnlessBroken(move, client, constraint, broken),
    })),
  ]
}

export function tableOf(
  move: Move,
  { schema, table }: { schema: string; table: string },
): PlannedTable | undefined {
  return move.plan.tables.find(({ target }) => target.schema === schema && target.name === table)
}

async function addUnlessBroken(
  move: Move,
  client: PostgresClient,
  constraint: Constraint,
  broken: Broken[],
): Promise<void> {
  if (mustStop(move)) return
  move.signal.throwIfAborted()
  try {
    await addConstraint(client, constraint)
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string }
    if (!brokenByRows.has(code)) throw error
    broken.push({ constraint, state: code, message })
  }
}
