import { readTableDetails, type PostgresClient } from '@outgrow/databases'
import { assertNever, messageOf } from '@outgrow/kit'
import type { Plan, PlannedTable } from '../plan.ts'
import type { Finding } from '../report.ts'
import type { SourceObject } from '../source/objects.ts'
import { qualified, readConstraints, type Constraint } from '../target/structure.ts'
import { statementFor, type StatementContext } from './statements.ts'
import { Untranslatable } from './translate.ts'
import { viewStatement } from './view.ts'

/** What became of the objects of a file that the target's own DDL does not have. */
export interface Carried {
  /** Statements that were run, in the target's names. */
  statements: string[]
  /** Views, which are made when everything else stands. */
  views: string[]
  /** What the target does not have, each with its SQL. */
  left: Finding[]
  notes: string[]
}

export interface CarryRequest {
  plan: Plan
  objects: SourceObject[]
  /** Schemas in which the tables are being built. */
  schemas: string[]
  /** Where views go. */
  home: string
  /** False when the target's structure is decided by its own migrations: then all of it is only named. */
  adds: boolean
  /** Names of what is left behind knowingly. */
  skipped: ReadonlySet<string>
  /** A statement with the names that the tables have in the end. */
  finalSql(sql: string): string
}

/**
 * Gives the target's tables, which are empty, what the file's schema has and theirs lacks. Each statement is tried: what
 * Postgres refuses, or what no statement says, is left and named.
 */
export async function carryOver(client: PostgresClient, request: CarryRequest): Promise<Carried> {
  const { plan, objects, schemas, adds, skipped } = request
  const carried: Carried = { statements: [], views: [], left: [], notes: [] }
  const tables = new Map(plan.tables.map((table) => [table.source.name, contextOf(plan, table)]))
  let constraints = await readConstraints(client, schemas)
  for (const object of objects) {
    if (skipped.has(object.name)) {
      carried.notes.push(`${object.kind} ${object.name} stays behind: it was skipped by name.`)
      continue
    }
    const context = tables.get(object.table)
    if (!context && object.kind !== 'view') continue // its table stays behind
    if (context && isThere(object, context, constraints)) continue
    let statement: string | undefined
    try {
      statement =
        object.kind === 'view'
          ? viewStatement(object.sql, object.name, request.home, plan)
          : await replacing(client, object, context as StatementContext, constraints)
      const stays = adds && object.kind !== 'view'
      try {
        if (!(await tried(client, statement, context, stays))) continue
      } catch (error) {
        if ((error as { code?: string }).code !== '42P07') throw error
        // Prisma has given the name to a key that means something else, such as the plain one beside a NOCASE one.
        statement = statement.replace(
          / INDEX "((?:[^"]|"")+)" ON /,
          (_, name: string) => ` INDEX "${name.slice(0, 58)}_file" ON `,
        )
        if (!(await tried(client, statement, context, stays))) continue
      }
      if (adds && object.kind !== 'view') constraints = await readConstraints(client, schemas)
      if (adds) (object.kind === 'view' ? carried.views : carried.statements).push(statement)
      else
        carried.left.push(
          leftBehind(object, 'the target’s own migrations do not make it', request.finalSql(statement)),
        )
    } catch (error) {
      const state = (error as { code?: string }).code
      if (!(error instanceof Untranslatable) && !/^[0-9A-Z]{5}$/.test(state ?? '')) throw error
      carried.left.push(leftBehind(object, messageOf(error), undefined))
    }
  }
  return carried
}

function contextOf(plan: Plan, table: PlannedTable): StatementContext {
  const { collations } = readTableDetails(table.source.sql)
  return {
    table,
    columns: table.columns.map(({ source, target }) => ({
      source,
      target,
      collation: collations.get(source.toLowerCase()),
    })),
    tableNamed: (name) => plan.tables.find(({ source }) => source.name.toLowerCase() === name.toLowerCase()),
  }
}

/** Whether the target's own tables have it, under whatever name. */
function isThere(object: SourceObject, context: StatementContext, constraints: Constraint[]): boolean {
  const { table } = context
  const own = constraints.filter(
    (one) => one.schema === table.target.schema && one.table === table.target.name,
  )
  const targets = object.columns.map((name) => table.columns.find(({ source }) => source === name)?.target)
  const [first] = targets
  // A column that is not moved takes along what is said of it.
  if (object.kind !== 'generated column' && targets.some((target) => target === undefined)) return true
  switch (object.kind) {
    case 'unique': {
      const names = new Set(targets.map((target) => target?.name))
      const isPlain =
        object.where === undefined &&
        object.terms.every((term) => term.isColumn && term.collation === 'BINARY')
      const folds = object.terms.every(
        (term, at) => term.isColumn && (term.collation === 'BINARY' || targets[at]?.type === 'citext'),
      )
      if (!isPlain && !(folds && object.where === undefined)) return false
      return own.some((one) => one.unique && one.plain && one.columns.every((name) => names.has(name)))
    }
    case 'index': {
      if (object.where !== undefined || !object.terms.every(({ isColumn }) => isColumn)) return false
      const names = targets.map((target) => target?.name)
      return own.some((one) => one.plain && names.every((name, at) => one.columns[at] === name))
    }
    case 'not null':
      return first?.notNull === true
    case 'default':
      return first?.hasDefault === true || first?.generated === true
    case 'generated column':
      return first !== undefined
    case 'foreign key':
      return foreignKeyOf(object, context, own)?.isSame === true
    case 'check':
    case 'view':
    case 'trigger':
      return false
    default:
      return assertNever(object)
  }
}

/** The target's key over the same columns, and whether it does the same. */
function foreignKeyOf(
  object: Extract<SourceObject, { kind: 'foreign key' }>,
  { table, tableNamed }: StatementContext,
  own: Constraint[],
): { constraint: Constraint; isSame: boolean } | undefined {
  const { key, isDeferred } = object
  const parent = tableNamed(key.parent)
  const names = key.columns.map(
    (name) => table.columns.find(({ source }) => source.toLowerCase() === name.toLowerCase())?.target.name,
  )
  const constraint = own.find(
    (one) =>
      one.kind === 'foreign' &&
      one.columns.join() === names.join() &&
      one.parent?.table === parent?.target.name &&
      one.parent?.schema === parent?.target.schema,
  )
  if (!constraint) return undefined
  const definition = constraint.definition ?? ''
  const does = (action: string, on: 'DELETE' | 'UPDATE') =>
    /^(NO ACTION|RESTRICT)$/.test(action) || definition.includes(`ON ${on} ${action}`)
  const isSame =
    does(key.onDelete, 'DELETE') &&
    does(key.onUpdate, 'UPDATE') &&
    (!isDeferred || definition.includes('INITIALLY DEFERRED'))
  return { constraint, isSame }
}

/** A foreign key that does something else gives way to one that does the same. */
async function replacing(
  client: PostgresClient,
  object: SourceObject,
  context: StatementContext,
  constraints: Constraint[],
): Promise<string> {
  const statement = statementFor(object, context)
  if (object.kind !== 'foreign key') return statement
  const { target } = context.table
  const own = constraints.filter((one) => one.schema === target.schema && one.table === target.name)
  const other = foreignKeyOf(object, context, own)
  if (!other) return statement
  const name = client.escapeIdentifier(other.constraint.name)
  const added = statement.replace(/ADD CONSTRAINT "(?:[^"]|"")+"/, `ADD CONSTRAINT ${name}`)
  return `ALTER TABLE ${qualified(target)} DROP CONSTRAINT ${name}; ${added}`
}

/** Runs a statement, for good or only to see; false when the table had the very same already. */
async function tried(
  client: PostgresClient,
  statement: string,
  context: StatementContext | undefined,
  stays: boolean,
): Promise<boolean> {
  await client.query('SAVEPOINT outgrow_carry')
  try {
    const before = context && (await definitionsOf(client, context.table))
    await client.query(statement)
    const after = context && (await definitionsOf(client, context.table))
    const isNew = !before || !after || after.distinct > before.distinct || after.all === before.all
    await client.query(
      stays && isNew ? 'RELEASE SAVEPOINT outgrow_carry' : 'ROLLBACK TO SAVEPOINT outgrow_carry',
    )
    return isNew
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT outgrow_carry')
    throw error
  }
}

/** How many indexes and checks a table has, and how many of them differ in more than their name. */
async function definitionsOf(
  client: PostgresClient,
  { target }: PlannedTable,
): Promise<{ all: number; distinct: number }> {
  const { rows } = await client.query<{ all: string; distinct: string }>(
    `SELECT count(*) AS all, count(DISTINCT text) AS distinct FROM (
       SELECT regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .*? ON ', ' ON ') AS text FROM pg_index WHERE indrelid = $1::regclass
       UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c') x`,
    [qualified(target)],
  )
  return { all: Number(rows[0]?.all), distinct: Number(rows[0]?.distinct) }
}

const constraintKinds = new Set<SourceObject['kind']>(['unique', 'check', 'foreign key', 'not null'])

function leftBehind(object: SourceObject, why: string, statement: string | undefined): Finding {
  const isConstraint = constraintKinds.has(object.kind)
  const label =
    object.kind === 'unique' || object.kind === 'index'
      ? `${object.kind === 'unique' ? 'unique ' : ''}index`
      : object.kind
  return {
    code: isConstraint ? 'OUTGROW_CONSTRAINT_LOST' : 'OUTGROW_OBJECT_LEFT',
    table: object.table,
    column: object.columns.length > 0 ? object.columns.join(', ') : null,
    count: 1,
    keys: [],
    storage: null,
    excerpt: object.sql.replaceAll(/\s+/g, ' '),
    reason: `the ${label} ${object.name} is not in the target: ${why}`,
    fixes: [
      ...(statement === undefined ? [] : [`add to a Postgres migration: ${statement}`]),
      `--skip-object '${object.name}' leaves it behind knowingly`,
    ],
  }
}
