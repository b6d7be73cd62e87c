import {
  describeSchemas,
  readTableDetails,
  type DescribedItem,
  type PostgresClient,
} from '@outgrow/databases'
import { findingOf, type Finding } from '../../model/finding.ts'
import { plannedTable, type PlannedTable } from '../../model/plan.ts'
import type { FileObjects } from '../../model/file-objects.ts'
import type { Constraint } from '../../model/table.ts'
import { readConstraints } from './constraints.ts'

export interface BeyondRequest {
  schemas: string[]
  /** The schema whose name is left out in reports. */
  home: string
  tables: PlannedTable[]
  /** What the file has. */
  file: FileObjects
  /** Names of what is left behind knowingly. */
  skipped: ReadonlySet<string>
}

/** What Postgres has beside rows and the file does not: each with its SQL, unless it was skipped by name. */
export async function beyondSchema(
  client: PostgresClient,
  request: BeyondRequest,
): Promise<{ findings: Finding[]; notes: string[] }> {
  const { schemas, tables, file } = request
  const left: Left[] = []
  for (const constraint of await readConstraints(client, schemas)) {
    const table = plannedTable({ tables }, constraint)
    if (table && !hasCounterpart(constraint, table, tables, file))
      left.push(lostConstraint(constraint, table))
  }
  const items = await describeSchemas(client, Object.fromEntries(schemas.map((name) => [name, name])))
  left.push(...items.flatMap((item) => leftItem(item, request)), ...(await otherObjects(client, request)))
  const findings: Finding[] = []
  const notes = rolesNote(items)
  for (const { name, finding } of left) {
    if (/(^|\.)_outgrow_/.test(name)) continue
    if (request.skipped.has(name)) notes.push(`${name} stays behind: it was skipped by name.`)
    else findings.push({ ...finding, fixes: [`--skip-object ${name} leaves it out deliberately`] })
  }
  return { findings, notes }
}

interface Left {
  name: string
  finding: Finding
}

/** Columns of a key in the file's names; undefined where one of them does not go there. */
function fileColumns(table: PlannedTable, names: readonly string[]): string[] | undefined {
  const columns = names.map((name) => table.columns.find(({ target }) => target.name === name)?.source)
  return columns.every((name) => name !== undefined) ? columns : undefined
}

const isSameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name) => b.includes(name))

function hasCounterpart(
  constraint: Constraint,
  table: PlannedTable,
  tables: PlannedTable[],
  file: FileObjects,
): boolean {
  const { kind, columns: names, name, plain } = constraint
  const { source } = table
  const columns = fileColumns(table, names ?? [])
  const indexes = file.indexes.get(source.name) ?? []
  switch (kind) {
    case 'primary':
    case 'unique':
    case 'index': {
      // Where NULL is a value like any other, SQLite’s keys take more.
      if (!plain || constraint.nullsNotDistinct) return kind === 'index' && file.names.has(name)
      if (columns === undefined) return false
      if (!constraint.unique) return indexes.some((one) => one.columns.join() === columns.join())
      const keys = [source.primaryKey, ...indexes.flatMap((one) => (one.isUnique ? [one.columns] : []))]
      return keys.some((key) => isSameSet(key, columns))
    }
    case 'foreign': {
      const { parent } = constraint
      const other = parent && plannedTable({ tables }, parent)
      return source.foreignKeys.some(
        (key) =>
          columns !== undefined &&
          isSameSet(key.columns, columns) &&
          key.parent.toLowerCase() === other?.source.name.toLowerCase() &&
          key.onDelete === actionOf(constraint, 'DELETE') &&
          key.onUpdate === actionOf(constraint, 'UPDATE'),
      )
    }
    case 'check':
      return readTableDetails(source.sql).checks.some((check) => check.name === name)
    default:
      return false
  }
}

/** What a reference does when its row is deleted or gets another key. */
function actionOf({ definition }: Constraint, event: 'DELETE' | 'UPDATE'): string {
  const [, action = 'NO ACTION'] =
    new RegExp(`ON ${event} (CASCADE|RESTRICT|SET NULL|SET DEFAULT)`).exec(definition ?? '') ?? []
  return action
}

function lostConstraint(constraint: Constraint, { source }: PlannedTable): Left {
  const { name, kind, columns, definition, indexSql, unique } = constraint
  const isRule = kind !== 'index' || unique
  const what =
    kind === 'index'
      ? `${unique ? 'unique ' : ''}index`
      : `${kind} ${kind === 'check' ? 'constraint' : 'key'}`
  return {
    name,
    finding: findingOf({
      code: isRule ? 'OUTGROW_CONSTRAINT_LOST' : 'OUTGROW_OBJECT_LEFT',
      table: source.name,
      column: columns?.join(', ') ?? null,
      excerpt: definition ?? indexSql,
      reason: `${what} ${name} of Postgres is not in the file`,
      fixes: [],
    }),
  }
}

const kinds: Record<string, string> = {
  view: 'view',
  trigger: 'trigger',
  rule: 'rule',
  policy: 'row security policy',
  publication: 'publication',
}

function leftItem({ kind, name, definition }: DescribedItem, { home, file }: BeyondRequest): Left[] {
  const what = kinds[kind]
  if (what === undefined) return []
  const own = name.startsWith(`${home}.`) ? name.slice(home.length + 1) : name
  const last = own.split('.').at(-1) as string
  if ((kind === 'view' || kind === 'trigger') && file.names.has(last)) return []
  const reason = `${what} ${own} of Postgres is not in the file`
  return [
    {
      name: last,
      finding: findingOf({ code: 'OUTGROW_OBJECT_LEFT', table: own, excerpt: definition, reason, fixes: [] }),
    },
  ]
}

/** Functions, foreign tables, counters that no column has, and large objects. */
async function otherObjects(client: PostgresClient, { schemas, home }: BeyondRequest): Promise<Left[]> {
  const ofNobody = (catalog: string, oid: string) =>
    `NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype IN ('a', 'e', 'i'))`
  const { rows } = await client.query<{ kind: string; schema: string; name: string; sql: string }>(
    `SELECT 'function' AS kind, n.nspname AS schema, p.proname AS name, format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) AS sql
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = ANY($1) AND ${ofNobody('pg_proc', 'p.oid')}
     UNION ALL
     SELECT CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'sequence' END, n.nspname, c.relname, NULL
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind IN ('f', 'S') AND ${ofNobody('pg_class', 'c.oid')}
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
     UNION ALL
     SELECT 'large object', $2, oid::text, NULL FROM pg_largeobject_metadata
      ORDER BY 1, 2, 3, 4`,
    [schemas, home],
  )
  return rows.map(({ kind, schema, name, sql }) => ({
    name,
    finding: findingOf({
      code: 'OUTGROW_OBJECT_LEFT',
      table: schema === home ? name : `${schema}.${name}`,
      excerpt: sql,
      reason: `${kind} ${name} of Postgres is not in the file`,
      fixes: [],
    }),
  }))
}

/** A file has neither roles nor rights. */
function rolesNote(items: DescribedItem[]): string[] {
  const owners = new Map(
    items.filter(({ kind }) => kind === 'owner').map((one) => [one.name, one.definition]),
  )
  const isGranted = ({ kind, name, definition }: DescribedItem) =>
    kind === 'column grant' ||
    (kind === 'grant' &&
      definition.split(' ').some((right) => right !== '' && !right.startsWith(`${owners.get(name)}=`)))
  const count = items.filter((item) => owners.has(item.name) && isGranted(item)).length
  return count === 0
    ? []
    : [
        `Rights of other roles on ${count === 1 ? 'a table' : `${count} tables`} stay behind: SQLite has no roles.`,
      ]
}
