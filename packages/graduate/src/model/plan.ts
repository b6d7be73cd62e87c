import type { FailureDetails } from '@outgrow/kit'
import type { StoredModel } from '@outgrow/schema'
import { quoteIdentifier, type SourceTable, type VirtualTable } from '@outgrow/databases'
import { findingOf, Refusal, type Finding } from './finding.ts'
import type { MoveOptions } from './options.ts'
import type { Constraint, TargetColumn, TargetTable } from './table.ts'

export interface PlannedColumn {
  /** Name in the SQLite file. */
  source: string
  target: TargetColumn
  /** The type that the server gives the column after the load, for types without a binary form here. */
  castTo: string | undefined
  /** Only whether a value is NULL is compared: the server made it of text by rules of its own. */
  presenceOnly?: boolean
}

/** One table of the file and where its rows go. */
export interface PlannedTable {
  source: SourceTable
  target: TargetTable
  columns: PlannedColumn[]
  /** Columns that name a row in reports: primary key, else a unique key, else none (then the rowid does). */
  key: string[]
}

export interface Plan {
  tables: PlannedTable[]
  /** Drift: what the file has and the schema does not know, and the reverse. */
  findings: Finding[]
  /** What stays behind and is the only copy of something, unless it was skipped by name. */
  left: Finding[]
  /** What is left behind knowingly, in words. */
  notes: string[]
}

/** The schema's tables on both sides, by model. */
export interface StoragePair {
  sqlite: StoredModel[]
  postgres: StoredModel[]
}

/**
 * Pairs the file's tables and columns with the target's, by way of the schema. Pure.
 * @param stagedName the name of the schema in which a Postgres schema's tables are being built
 */
export function planMove(
  source: SourceTable[],
  storage: StoragePair,
  targets: TargetTable[],
  stagedName: (schema: string | undefined) => string,
  options: MoveOptions,
): Plan {
  const plan: Plan = { tables: [], findings: [], left: [], notes: [] }
  const paired = new Set<SourceTable>()
  const targetAt = (schema: string, name: string) =>
    targets.find((table) => table.schema === schema && table.name === name)
  const sourceNamed = (name: string) =>
    source.find((table) => table.name === name) ??
    source.find((table) => table.name.toLowerCase() === name.toLowerCase())

  for (const model of storage.sqlite) {
    const other = storage.postgres.find(({ name }) => name === model.name)
    const target = other && targetAt(stagedName(other.schema), other.table)
    const table = sourceNamed(model.table)
    if (table) paired.add(table)
    if (options.skipTables.has(table?.name ?? model.table)) continue
    if (!other || !target) {
      plan.findings.push(
        drift(
          model.table,
          null,
          'This table is in the schema but not in the Postgres migrations.',
          'outgrow schema migrate <name>',
        ),
      )
      continue
    }
    if (!table) {
      plan.findings.push(
        drift(
          model.table,
          null,
          'This table is in the schema but not in the file.',
          `--skip-table ${model.table}`,
        ),
      )
      continue
    }
    const columns = planColumns(table, model, other, target, options, plan)
    plan.tables.push({ source: table, target, columns, key: keyOf(table) })
    if (table.virtual) plan.notes.push(searchOffer(table, other.table, columns))
  }
  for (const table of source) {
    if (paired.has(table)) continue
    const { owner, virtual } = table
    if (owner !== undefined) {
      const rows = virtual ? ` (${virtual.rows} rows)` : ''
      if (!table.name.startsWith('sqlite_')) plan.notes.push(`${table.name} stays behind: ${owner}${rows}.`)
      continue
    }
    if (options.skipTables.has(table.name)) continue
    if (virtual && (virtual.content === 'index' || virtual.problem !== undefined)) {
      plan.left.push(virtualLeft(table, virtual))
      continue
    }
    const join = targets.find((candidate) => candidate.name === table.name && isJoinTable(table))
    if (join) {
      const columns = table.columns.map(({ name }) => ({
        source: name,
        target: join.columns.find((column) => column.name === name) as TargetColumn,
        castTo: undefined,
      }))
      plan.tables.push({ source: table, target: join, columns, key: ['A', 'B'] })
      continue
    }
    plan.findings.push(
      drift(
        table.name,
        null,
        virtual
          ? `This ${virtual.module} table of ${virtual.rows} rows is in the file but not in the schema, and its content is stored nowhere else.`
          : 'This table is in the file but not in the schema.',
        `--skip-table ${table.name}`,
      ),
    )
  }
  plan.notes.push(...unknownNames(source, storage, options))
  return plan
}

/** Options that name what is on neither side: a name that is mistyped would do nothing, in silence. */
function unknownNames(source: SourceTable[], { sqlite }: StoragePair, options: MoveOptions): string[] {
  const tables = new Set([...source.map(({ name }) => name), ...sqlite.map(({ table }) => table)])
  const columns = new Set([
    ...source.flatMap((table) => table.columns.map(({ name }) => `${table.name}.${name}`)),
    ...sqlite.flatMap(({ table, fields }) =>
      source
        .filter(({ name }) => name.toLowerCase() === table.toLowerCase())
        .flatMap(({ name }) => fields.map(({ column }) => `${name}.${column}`)),
    ),
  ])
  const unknown = (option: string, names: Iterable<string>, known: Set<string>, kind: string) =>
    [...names]
      .filter((name) => !known.has(name))
      .map((name) => `${option} ${name} does nothing: there is no such ${kind}.`)
  return [
    ...unknown('--skip-table', options.skipTables, tables, 'table'),
    ...unknown('--skip-column', options.skipColumns, columns, 'column'),
    ...unknown('--cast', options.casts.keys(), columns, 'column'),
  ]
}

/** Prisma keeps an implicit many-to-many relation in a table `_Name` with the columns A and B. */
function isJoinTable(table: SourceTable): boolean {
  return table.name.startsWith('_') && table.columns.map(({ name }) => name).join() === 'A,B'
}

function planColumns(
  table: SourceTable,
  model: StoredModel,
  other: StoredModel,
  target: TargetTable,
  options: MoveOptions,
  plan: Plan,
): PlannedColumn[] {
  const columns: PlannedColumn[] = []
  const known = new Set<string>()
  for (const field of model.fields) {
    const column =
      table.columns.find(({ name }) => name === field.column) ??
      table.columns.find(({ name }) => name.toLowerCase() === field.column.toLowerCase())
    const name = column?.name ?? field.column
    known.add(name)
    const label = `${table.name}.${name}`
    if (options.skipColumns.has(label)) continue
    if (!column) {
      plan.findings.push(
        drift(
          table.name,
          name,
          'This column is in the schema but not in the file.',
          `--skip-column ${label}`,
        ),
      )
      continue
    }
    const targetName = other.fields.find((candidate) => candidate.name === field.name)?.column
    const targetColumn = target.columns.find((candidate) => candidate.name === targetName)
    if (!targetColumn) {
      plan.findings.push(
        drift(
          table.name,
          name,
          'This column is in the schema but not in the Postgres migrations.',
          'outgrow schema migrate <name>',
        ),
      )
      continue
    }
    if (targetColumn.generated) continue
    columns.push({ source: name, target: targetColumn, castTo: options.casts.get(label) })
  }
  for (const column of table.columns) {
    const label = `${table.name}.${column.name}`
    if (known.has(column.name) || options.skipColumns.has(label)) continue
    if (column.generated) {
      continue // what the target is to compute is carried over, or named there
    }
    plan.findings.push(
      drift(
        table.name,
        column.name,
        'This column is in the file but not in the schema.',
        `--skip-column ${label}`,
      ),
    )
  }
  return columns
}

function keyOf(table: SourceTable): string[] {
  if (table.primaryKey.length > 0) return table.primaryKey
  return table.uniqueKeys.toSorted((a, b) => a.length - b.length)[0] ?? []
}

function drift(table: string, column: string | null, reason: string, fix: string): Finding {
  return findingOf({
    code: 'OUTGROW_SCHEMA_DRIFT',
    table,
    column,
    reason,
    fixes: [fix],
  })
}

/** A virtual table whose rows cannot be read: it holds only what can be searched, or its module is not here. */
function virtualLeft({ name, sql }: SourceTable, { module, rows, problem }: VirtualTable): Finding {
  return findingOf({
    code: 'OUTGROW_OBJECT_LEFT',
    table: name,
    count: Math.max(rows, 1),
    excerpt: sql,
    reason:
      problem === undefined
        ? `is a contentless ${module} index: its rows can be searched but not read`
        : `is a virtual table (${module}) that cannot be read here: ${problem}`,
    fixes: [`--skip-table ${name} leaves it out deliberately`],
  })
}

/** The planned table that a constraint, or another name of the target, belongs to. */
export function plannedTable(
  { tables }: Pick<Plan, 'tables'>,
  { schema, table }: Pick<Constraint, 'schema' | 'table'>,
): PlannedTable | undefined {
  return tables.find(({ target }) => target.schema === schema && target.name === table)
}

/** Stops a move that drift makes unsafe. */
export function refuseDrift(findings: Finding[]): void {
  if (findings.length === 0) return
  const names = findings.map(
    ({ table, column, reason }) => `${table}${column === null ? '' : `.${column}`}: ${reason}`,
  )
  const details: FailureDetails = {
    code: 'OUTGROW_SCHEMA_DRIFT',
    message: `The file and the schema differ: ${names.slice(0, 8).join(' ')}${names.length > 8 ? ` And ${names.length - 8} more.` : ''}`,
    why: 'Anything missing from the schema would be left behind silently.',
    fix: `Update the schema, or skip these by name: ${findings
      .slice(0, 8)
      .flatMap(({ fixes }) => fixes)
      .join(' ')}`,
  }
  throw new Refusal(details, findings)
}

/** What takes the place of a search index on Postgres; it is offered, not made. */
function searchOffer({ name, virtual }: SourceTable, table: string, columns: PlannedColumn[]): string {
  const module = virtual?.module ?? ''
  if (!module.startsWith('fts'))
    return `${name} was a virtual table (${module}); its rows are moved as a table.`
  const texts = columns
    .filter(({ target }) => target.type === 'text')
    .map(({ target }) => `coalesce(${quoteIdentifier(target.name)}, '')`)
  const at = quoteIdentifier(table)
  return `${name} was a search index (${module}); its rows are moved as a table. To search it: ALTER TABLE ${at} ADD COLUMN search_vector tsvector GENERATED ALWAYS AS (to_tsvector('simple', ${texts.join(" || ' ' || ")})) STORED; CREATE INDEX ON ${at} USING gin (search_vector);`
}
