import type { SourceTable } from '@outgrow/databases'
import { findingOf, type Finding } from './finding.ts'
import type { MoveOptions } from './options.ts'
import { planMove, type PlannedTable, type StoragePair } from './plan.ts'
import type { TargetColumn, TargetTable } from './table.ts'

/** The tables of a Postgres and where their rows go in a file. */
export interface ReversePlan {
  tables: PlannedTable[]
  /** What the schema has and one of the databases lacks. */
  drift: Finding[]
  /** Tables of Postgres that the schema does not know, by their names in reports. */
  unknownTables: { label: string; target: TargetTable }[]
  /** Columns of Postgres that the schema does not know. */
  unknownColumns: { label: string; table: PlannedTable; column: TargetColumn }[]
  notes: string[]
}

/**
 * Pairs the tables of a Postgres with those of a file that the same schema made. Pure.
 * @param file the file's tables, empty as they are
 * @param targets every table of the Postgres, whichever schema it lies in
 * @param home the schema in which tables without `@@schema` lie
 */
export function planReverse(
  file: SourceTable[],
  storage: StoragePair,
  targets: TargetTable[],
  home: string,
  options: MoveOptions,
): ReversePlan {
  const nameOf = (schema: string | undefined) => schema ?? home
  const schemas = new Set([home, ...storage.postgres.map(({ schema }) => nameOf(schema))])
  const own = targets.filter(({ schema }) => schemas.has(schema))
  const { tables } = planMove(file, storage, own, nameOf, options)
  const plan: ReversePlan = { tables, drift: [], unknownTables: [], unknownColumns: [], notes: [] }
  const known = new Set(tables.map(({ target }) => target))
  const used = new Set<string>()
  const isSkipped = (names: ReadonlySet<string>, ...labels: string[]) => {
    const found = labels.filter((label) => names.has(label))
    for (const label of found) used.add(label)
    return found.length > 0
  }
  for (const model of storage.sqlite) {
    const other = storage.postgres.find(({ name }) => name === model.name)
    const target = targets.find(
      ({ schema, name }) => name === other?.table && schema === nameOf(other.schema),
    )
    if (target) known.add(target)
    if (isSkipped(options.skipTables, model.table)) continue
    const table = tables.find((one) => one.target === target)
    if (!target || !table) {
      plan.drift.push(missing(model.table, null, target === undefined))
      continue
    }
    for (const field of model.fields) {
      const label = `${table.source.name}.${field.column}`
      if (isSkipped(options.skipColumns, label)) continue
      const name = other?.fields.find((one) => one.name === field.name)?.column
      const column = target.columns.find((one) => one.name === name)
      const isThere = table.columns.some((one) => one.target === column)
      if (!isThere && column?.generated !== true)
        plan.drift.push(missing(table.source.name, field.column, column === undefined))
    }
    const shared = other?.fields.filter(({ name }) => model.fields.some((field) => field.name === name))
    const names = new Set(shared?.map(({ column }) => column))
    for (const column of target.columns) {
      const label = `${table.source.name}.${column.name}`
      if (!names.has(column.name) && !isSkipped(options.skipColumns, label))
        plan.unknownColumns.push({ label, table, column })
    }
  }
  for (const target of targets) {
    const { schema, name } = target
    const label = schema === home ? name : `${schema}.${name}`
    if (known.has(target) || isSkipped(options.skipTables, label, `${schema}.*`)) continue
    plan.unknownTables.push({ label, target })
  }
  plan.unknownTables.sort((a, b) => (a.label < b.label ? -1 : 1))
  const unknown = [...options.skipTables, ...options.skipColumns].filter((name) => !used.has(name))
  plan.notes.push(
    ...unknown.map((name) => `Skipping ${name} does nothing: there is no such table or column.`),
  )
  return plan
}

function missing(table: string, column: string | null, isInPostgres: boolean): Finding {
  const what = column === null ? 'table' : 'column'
  const skip = column === null ? `--skip-table ${table}` : `--skip-column ${table}.${column}`
  return findingOf({
    code: 'OUTGROW_SCHEMA_DRIFT',
    table,
    column,
    reason: isInPostgres
      ? `This ${what} is in the schema but not in Postgres.`
      : `This ${what} is in the schema but not in the SQLite migrations.`,
    fixes: [isInPostgres ? skip : 'outgrow schema migrate <name>'],
  })
}
