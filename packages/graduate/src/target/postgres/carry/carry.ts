import {
  pipelined,
  quoteIdentifier,
  readTableDetails,
  runStatements,
  shortName,
  type PostgresClient,
  type SourceTable,
} from '@outgrow/databases'
import { assertNever, messageOf } from '@outgrow/kit'
import type { Plan, PlannedTable } from '../../../model/plan.ts'
import { findingOf, type Finding } from '../../../model/finding.ts'
import type { SourceObject } from '../../../model/source-object.ts'
import type { Carried } from '../../../model/staging.ts'
import type { Constraint } from '../../../model/table.ts'
import { readTargetTables } from '../catalog.ts'
import { qualified, readConstraints } from '../constraints.ts'
import { statementFor, type StatementContext } from './statements.ts'
import { Untranslatable } from './translate.ts'
import { viewStatement } from './view.ts'

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
 * Postgres refuses, or what no statement says, is left and named. Returns what constraints the tables have with it.
 */
export async function carryOver(
  client: PostgresClient,
  request: CarryRequest,
): Promise<{ carried: Carried; constraints: Constraint[] }> {
  const { plan, objects, schemas, adds, skipped } = request
  const carried: Carried = { statements: [], views: [], left: [], notes: [] }
  const tables = new Map(plan.tables.map((table) => [table.source.name, contextOf(plan, table)]))
  const constraints = Map.groupBy(await readConstraints(client, schemas), ({ schema, table }) =>
    qualified({ schema, name: table }),
  )
  const ownOf = ({ table }: StatementContext) => constraints.get(qualified(table.target)) ?? []
  const made: string[] = []
  const waiting = new Set<SourceObject>()
  const queue = [...objects]
  for (const object of queue) {
    if (skipped.has(object.name)) {
      carried.notes.push(`${object.kind} ${object.name} stays behind: it was skipped by name.`)
      continue
    }
    const context = tables.get(object.table)
    const isOnView = objects.some(({ kind, name }) => kind === 'view' && name === object.table)
    if (!context && !isOnView) continue // its table stays behind
    if (context && isThere(object, context, ownOf(context), skipped)) continue
    let statement: string | undefined
    try {
      statement =
        object.kind === 'view'
          ? viewStatement(object.sql, object.name, request.home, plan)
          : await replacing(client, object, context as StatementContext, ownOf)
      try {
        if (!(await tried(client, statement, context, adds))) continue
      } catch (error) {
        if ((error as { code?: string }).code !== '42P07') throw error
        // Prisma has given the name to a key that means something else, such as the plain one beside a NOCASE one.
        statement = statement.replace(
          / INDEX "((?:[^"]|"")+)" ON /,
          (_, name: string) =>
            ` INDEX ${quoteIdentifier(shortName(`${name.replaceAll('""', '"')}_file`))} ON `,
        )
        if (!(await tried(client, statement, context, adds))) continue
      }
      if (adds && context) {
        const { target } = context.table
        constraints.set(qualified(target), await readConstraints(client, [target.schema], target.name))
      }
      if (adds && object.kind === 'generated column' && context)
        await addComputed(client, object, context, schemas)
      if (adds && object.kind === 'view') made.push(qualified({ schema: request.home, name: object.name }))
      if (adds) (object.kind === 'view' ? carried.views : carried.statements).push(statement)
      else
        carried.left.push(
          leftBehind(object, 'the target’s own migrations do not create it', request.finalSql(statement)),
        )
    } catch (error) {
      if (!(error instanceof Untranslatable) && !isRefusal(error)) throw error
      // SQLite takes a view before those that it reads: it is tried once more when the others stand.
      if (object.kind === 'view' && (error as { code?: string }).code === '42P01' && !waiting.has(object)) {
        waiting.add(object)
        queue.push(object)
        continue
      }
      carried.left.push(leftBehind(object, messageOf(error), undefined))
    }
  }
  // They are made for good when everything else stands; here each one only had to find those that it reads.
  await runStatements(
    client,
    made.toReversed().map((view) => `DROP VIEW ${view}`),
  )
  carried.notes.push(...foldedColumns(plan))
  return { carried, constraints: [...constraints.values()].flat() }
}

/** Postgres does not take the statement, as opposed to not being able to, or not letting this role. */
function isRefusal(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^(0A|22|23|42)/.test(code) && code !== '42501'
}

/** A column that Postgres computes as well may be part of keys and checks. */
async function addComputed(
  client: PostgresClient,
  { columns: [name = ''] }: SourceObject,
  { table, columns }: StatementContext,
  schemas: string[],
): Promise<void> {
  const targets = await readTargetTables(client, schemas)
  const target = targets
    .find((one) => one.schema === table.target.schema && one.name === table.target.name)
    ?.columns.find((column) => column.name === name)
  if (target)
    columns.push({ source: name, target, collation: undefined, isText: isTextColumn(table.source, name) })
}

/** SQLite's affinity: "Datatypes In SQLite", section 3.1. */
function isTextColumn({ columns }: SourceTable, name: string): boolean {
  const declared = columns.find((column) => column.name === name)?.declaredType ?? ''
  return /CHAR|CLOB|TEXT/i.test(declared) && !/INT/i.test(declared)
}

/** Comparisons that ignore case do so no more, wherever the application makes them; keys are carried over. */
function foldedColumns(plan: Plan): string[] {
  return plan.tables.flatMap(({ source, columns }) => {
    const { collations } = readTableDetails(source.sql)
    return columns.flatMap((column) => {
      const name = collations.get(column.source.toLowerCase())
      return name === undefined || column.target.type === 'citext'
        ? []
        : [
            `${source.name}.${column.source} and references to it are compared by ${name} in SQLite, but byte by byte in Postgres.`,
          ]
    })
  })
}

function contextOf(plan: Plan, table: PlannedTable): StatementContext {
  const { collations } = readTableDetails(table.source.sql)
  return {
    table,
    columns: table.columns.map(({ source, target }) => ({
      source,
      target,
      collation: collations.get(source.toLowerCase()),
      isText: isTextColumn(table.source, source),
    })),
    tableNamed: (name) => plan.tables.find(({ source }) => source.name.toLowerCase() === name.toLowerCase()),
  }
}

/** Whether the target's own tables have it, under whatever name. */
function isThere(
  object: SourceObject,
  context: StatementContext,
  own: Constraint[],
  skipped: ReadonlySet<string>,
): boolean {
  const { table } = context
  const targets = object.columns.map((name) => context.columns.find(({ source }) => source === name)?.target)
  const [first] = targets
  if (object.kind !== 'generated column') {
    const missing = object.columns.filter((_, at) => targets[at] === undefined)
    const isComputed = (name: string) =>
      table.source.columns.some((one) => one.name === name && one.generated)
    // A column that is left behind knowingly takes along what is said of it.
    if (missing.some((name) => !isComputed(name) || skipped.has(`${table.source.name}.${name}`))) return true
    if (missing.length > 0) return false
  }
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
      // Prisma makes lists nullable on Postgres, and reads NULL as an empty one.
      return first?.notNull === true || first?.element !== undefined
    case 'default':
      // For the same reason: `generate` makes this the default of its Json on SQLite.
      if (first?.element && /^\(*'\[\]'\)*$/.test(object.expression.trim())) return true
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
  ownOf: (context: StatementContext) => Constraint[],
): Promise<string> {
  const statement = statementFor(object, context)
  if (object.kind !== 'foreign key') return statement
  const { target } = context.table
  const other = foreignKeyOf(object, context, ownOf(context))
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
  const definitions = () => context && definitionsOf(client, context.table)
  try {
    const [, before, , after] = await pipelined(client, () => [
      client.query('SAVEPOINT outgrow_carry'),
      definitions(),
      client.query(statement),
      definitions(),
    ])
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
  return findingOf({
    code: isConstraint ? 'OUTGROW_CONSTRAINT_LOST' : 'OUTGROW_OBJECT_LEFT',
    table: object.table,
    column: object.columns.length > 0 ? object.columns.join(', ') : null,
    excerpt: object.sql.replaceAll(/\s+/g, ' '),
    reason: `the ${label} ${object.name} is not in the target: ${why}`,
    fixes: [
      ...(statement === undefined ? [] : [`add to a Postgres migration: ${statement}`]),
      `--skip-object '${object.name}' leaves it out deliberately`,
    ],
  })
}
