import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { PlannedTable } from '../plan.ts'
import { qualified, type Constraint } from '../target/structure.ts'
import type { Job } from './jobs.ts'
import type { Move } from './move.ts'

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
  if (!move.findings.isEmpty && move.options.onBadValue === 'stop') return
  move.signal.throwIfAborted()
  try {
    await addConstraint(client, constraint)
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string }
    if (!brokenByRows.has(code)) throw error
    broken.push({ constraint, state: code, message })
  }
}

/** Adds one constraint or index, or what an earlier attempt left undone of it. */
export async function addConstraint(client: PostgresClient, constraint: Constraint): Promise<void> {
  const isValid = await declareConstraint(client, constraint)
  if (isValid) return
  const table = qualified({ schema: constraint.schema, name: constraint.table })
  await client.query(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${quoteIdentifier(constraint.name)}`)
}

/** Adds a constraint or index; checks and foreign keys without looking at the rows. Returns whether it is whole. */
async function declareConstraint(client: PostgresClient, constraint: Constraint): Promise<boolean> {
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
      const notValid = constraint.definition?.endsWith('NOT VALID') ? '' : ' NOT VALID'
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
