import { quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import { excerptOf, reportedValue } from '../../model/excerpt.ts'
import type { Finding } from '../../model/finding.ts'
import type { MoveOptions } from '../../model/options.ts'
import { plannedTable, type PlannedTable } from '../../model/plan.ts'
import type { Constraint } from '../../model/table.ts'
import { referenceRule, referenceRules } from '../../rules/rules.ts'
import { isStringType } from '../../types/value-types.ts'

/** Rows that break the target's foreign keys and unique keys, found in the source alone. */
export function violationsIn(
  database: SqliteDatabase,
  tables: PlannedTable[],
  constraints: Constraint[],
  options: MoveOptions,
): Finding[] {
  const planned = (name: { schema: string; table: string }) => plannedTable({ tables }, name)
  return constraints.flatMap((constraint) => {
    const table = planned(constraint)
    if (!table) return []
    if (constraint.kind === 'foreign' && constraint.parent) {
      const parent = planned(constraint.parent)
      return parent ? orphans(database, table, parent, constraint, options) : []
    }
    return constraint.unique && constraint.plain ? duplicates(database, table, constraint) : []
  })
}

function orphans(
  database: SqliteDatabase,
  table: PlannedTable,
  parent: PlannedTable,
  constraint: Constraint,
  { rules }: MoveOptions,
): Finding[] {
  const own = sourceColumns(table, constraint.columns)
  const theirs = sourceColumns(parent, constraint.parent?.columns ?? [])
  if (!own || !theirs) return []
  const optional = constraint.columns.every(
    (name) => table.target.columns.find((column) => column.name === name)?.notNull === false,
  )
  if (referenceRule(rules, optional)) return []
  // As Postgres compares: text by its bytes, whatever the column's collation, and a number in a text column as its text.
  const parentColumns = parent.columns
  const compared = (alias: string, name: string, at: number) => {
    const target = parentColumns.find(({ source }) => source === theirs[at])?.target
    const quoted = `${alias}.${quoteIdentifier(name)}`
    return target && isStringType(target.type)
      ? `CAST(${quoted} AS TEXT) COLLATE BINARY`
      : `${quoted} COLLATE BINARY`
  }
  const where = [
    ...own.map((name) => `t.${quoteIdentifier(name)} IS NOT NULL`),
    `(${own.map((name, at) => compared('t', name, at)).join(', ')}) NOT IN (SELECT ${theirs
      .map((name, at) => compared('p', name, at))
      .join(', ')} FROM ${quoteIdentifier(parent.source.name)} p WHERE ${theirs
      .map((name) => `p.${quoteIdentifier(name)} IS NOT NULL`)
      .join(' AND ')})`,
  ].join(' AND ')
  return findingOf(database, table, own, where, {
    code: 'OUTGROW_ORPHAN',
    reason: `references a row of ${parent.source.name} that does not exist`,
    fixes: referenceRules(optional).map(({ name }) => name),
  })
}

/** Keys that SQLite does not enforce, or enforces by other rules than the target's type. */
function duplicates(database: SqliteDatabase, table: PlannedTable, constraint: Constraint): Finding[] {
  const columns = sourceColumns(table, constraint.columns)
  if (!columns || columns.length === 0) return []
  const folds = constraint.columns.map(
    (name) => table.target.columns.find((column) => column.name === name)?.type === 'citext',
  )
  const enforced = [table.source.primaryKey, ...table.source.uniqueKeys].some(
    (key) => key.length === columns.length && key.every((name) => columns.includes(name)),
  )
  if (enforced && !folds.includes(true)) return []
  const same = columns.map((name, at) => {
    const quoted = quoteIdentifier(name)
    return folds[at] ? `lower(o.${quoted}) = lower(t.${quoted})` : `o.${quoted} = t.${quoted}`
  })
  const row = table.source.rowid
  if (row === undefined) return []
  return findingOf(
    database,
    table,
    columns,
    `EXISTS (SELECT 1 FROM ${quoteIdentifier(table.source.name)} o WHERE ${same.join(' AND ')} AND o.${row} < t.${row})`,
    {
      code: 'OUTGROW_DUPLICATE',
      reason: `has the same ${columns.join(', ')} as another row, but ${constraint.name} allows only one`,
      fixes: ['--on-bad-value quarantine keeps the first'],
    },
  )
}

function sourceColumns(table: PlannedTable, targets: string[]): string[] | undefined {
  const names = targets.map((name) => table.columns.find(({ target }) => target.name === name)?.source)
  return names.every((name) => name !== undefined) ? names : undefined
}

function findingOf(
  database: SqliteDatabase,
  table: PlannedTable,
  columns: string[],
  where: string,
  about: Pick<Finding, 'code' | 'reason' | 'fixes'>,
): Finding[] {
  const from = `FROM ${quoteIdentifier(table.source.name)} t WHERE ${where}`
  const { count } = database.prepare(`SELECT count(*) AS count ${from}`).get() as { count: number }
  if (count === 0) return []
  const key = table.key.length > 0 ? table.key : [table.source.rowid as string]
  const shown = quoteIdentifier(columns[0] as string)
  const rows = database
    .prepare(
      `SELECT ${key.map((name) => (name === table.source.rowid ? `t.${name}` : `t.${quoteIdentifier(name)}`)).join(', ')}, typeof(t.${shown}), t.${shown} ${from} LIMIT 10`,
    )
    .raw()
    .safeIntegers()
    .all() as unknown[][]
  return [
    {
      ...about,
      table: table.source.name,
      column: columns.join(', '),
      count,
      keys: rows.map((row) => Object.fromEntries(key.map((name, at) => [name, reportedValue(row[at])]))),
      storage: String(rows[0]?.[key.length]),
      excerpt: excerptOf(rows[0]?.[key.length + 1]),
    },
  ]
}
