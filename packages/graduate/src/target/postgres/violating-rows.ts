import { quoteIdentifier, quoteLiteral, type PostgresClient } from '@outgrow/databases'
import type { Digest } from '../../model/digest.ts'
import type { Finding, ReportedKey } from '../../model/finding.ts'
import type { Plan, PlannedTable } from '../../model/plan.ts'
import { plannedTable } from '../../model/plan.ts'
import type { Constraint } from '../../model/table.ts'
import type { Violation } from '../target.ts'
import { qualified } from './constraints.ts'
import type { PostgresTarget } from './postgres-target.ts'

/** What is wrong with some rows of a table. */
export interface ViolatingRows {
  columns: string[]
  /** A condition on `t`. */
  where: string
  code: Finding['code']
  reason: string
  fixes: string[]
}

/** Which rows violate a key, an index or a check. */
export function rowsViolating({ constraint, state, message }: Violation): ViolatingRows {
  const { schema, table, columns, definition, name } = constraint
  const id = qualified({ schema, name: table })
  const names = columns.map(quoteIdentifier)
  if (state === '23505') {
    const keys = constraint.keys ?? names
    const isSame = [
      ...(constraint.predicate === null ? [] : [`(${constraint.predicate})`]),
      ...(constraint.nullsNotDistinct ? [] : keys.map((key) => `(${key}) IS NOT NULL`)),
    ].join(' AND ')
    return {
      columns,
      where: `t.ctid IN (SELECT id FROM (SELECT ctid AS id, row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ctid) AS place
         FROM ${id} ${isSame === '' ? '' : `WHERE ${isSame}`}) x WHERE place > 1)`,
      code: 'OUTGROW_DUPLICATE',
      reason: `has the same ${constraint.plain ? columns.join(', ') : keys.join(', ')} as another row, but ${name} allows only one`,
      fixes: ['--on-bad-value quarantine keeps the first'],
    }
  }
  if (state === '54000') {
    const size = names.map((column) => `coalesce(pg_column_size(t.${column}), 0)`).join(' + ')
    return {
      columns,
      where: `(${size === '' ? '0' : size}) > 2680`,
      code: 'OUTGROW_INDEX_ENTRY_TOO_LARGE',
      reason: `is too long for the index ${name} (2704 bytes at most)`,
      fixes: ['remove the index from the field, or make it a hash index on Postgres'],
    }
  }
  return {
    columns,
    where: `NOT ${/CHECK (\(.*\))/s.exec(definition ?? '')?.[1] ?? 'true'}`,
    code: 'OUTGROW_CHECK_FAILED',
    reason: definition === null ? message : `violates the check ${name}`,
    fixes: [],
  }
}

/**
 * Conditions on `t` for rows whose parent is not there: it was quarantined, or never existed. A parent that was quarantined
 * as the double of another takes its rows along too: which of the two they meant cannot be told.
 * @param quarantine the run's table of quarantined rows
 */
export function orphansOf(
  plan: Plan,
  key: Constraint,
  quarantine: string,
): { ofQuarantined: string; ofNobody: string } {
  const parent = key.parent as NonNullable<Constraint['parent']>
  const names = key.columns.map((name) => `t.${quoteIdentifier(name)}`)
  const match = parent.columns.map((name, at) => `p.${quoteIdentifier(name)} = ${names[at]}`).join(' AND ')
  const parentTable = plannedTable(plan, parent)
  const sourceNames = parent.columns.map(
    (name) => parentTable?.columns.find(({ target }) => target.name === name)?.source ?? name,
  )
  const inQuarantine = `EXISTS (SELECT 1 FROM ${quarantine} q WHERE q.table_name = ${quoteLiteral(
    parentTable?.source.name ?? parent.table,
  )} AND ${sourceNames.map((name, at) => `q.row->>${quoteLiteral(name)} = ${names[at]}::text`).join(' AND ')})`
  const pointing = names.map((name) => `${name} IS NOT NULL`).join(' AND ')
  const isThere = `EXISTS (SELECT 1 FROM ${qualified({ schema: parent.schema, name: parent.table })} p WHERE ${match})`
  return {
    ofQuarantined: `${pointing} AND ${inQuarantine}`,
    ofNobody: `${pointing} AND NOT ${isThere} AND NOT ${inQuarantine}`,
  }
}

export async function countRows(client: PostgresClient, table: PlannedTable, where: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ${qualified(table.target)} t WHERE ${where}`,
  )
  return Number(rows[0]?.count ?? 0)
}

/** Makes a finding of violating rows. */
export async function describeRows(
  client: PostgresClient,
  table: PlannedTable,
  { columns, where, code, reason, fixes }: ViolatingRows,
  count: number,
): Promise<Finding> {
  const column = columns
    .map((name) => table.columns.find(({ target }) => target.name === name)?.source ?? name)
    .join(', ')
  const [shown] = columns
  const { rows } = await client.query<{ key: string; shown: string | null }>(
    `SELECT ${keyJson(table)}::text AS key, ${shown === undefined ? 'NULL' : `left(t.${quoteIdentifier(shown)}::text, 60)`} AS shown
       FROM ${qualified(table.target)} t WHERE ${where} LIMIT 10`,
  )
  return {
    code,
    table: table.source.name,
    column,
    count,
    keys: rows.map(({ key }) => parseKey(key)),
    storage: null,
    excerpt: rows[0]?.shown ?? null,
    reason,
    fixes,
  }
}

/** JSON.parse would round what a double does not hold. */
function parseKey(text: string): ReportedKey {
  const exact = (_: string, value: unknown, { source = '' }: { source?: string } = {}) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value
  return JSON.parse(text, exact) as ReportedKey
}

/** Chooses rows for what is done to them next; until the caller's transaction ends. */
export async function chooseRows(client: PostgresClient, table: PlannedTable, where: string): Promise<void> {
  await client.query(
    `CREATE TEMP TABLE outgrow_chosen ON COMMIT DROP AS SELECT t.ctid AS id FROM ${qualified(table.target)} t WHERE ${where}`,
  )
}

/** The digest of the chosen rows, with some columns taken for NULL. */
export function digestOfChosen(
  target: PostgresTarget,
  table: PlannedTable,
  cleared: ReadonlySet<string> = new Set(),
): Promise<Digest> {
  return target.digest(table, { from: chosen(table), cleared })
}

/** Moves the chosen rows into the table of quarantined rows. */
export async function quarantineChosen(
  client: PostgresClient,
  table: PlannedTable,
  quarantine: string,
  finding: Finding,
): Promise<void> {
  const row = jsonOf(table.columns)
  await client.query(
    `INSERT INTO ${quarantine} (table_name, key, column_name, reason, row)
     SELECT ${quoteLiteral(table.source.name)}, ${keyJson(table)}, ${quoteLiteral(finding.column ?? '')}, ${quoteLiteral(finding.reason)}, ${row}
       FROM ${chosen(table)}`,
  )
  await client.query(`DELETE FROM ${qualified(table.target)} t USING outgrow_chosen c WHERE c.id = t.ctid`)
}

/** Clears columns of the chosen rows. */
export async function clearChosen(
  client: PostgresClient,
  table: PlannedTable,
  columns: string[],
): Promise<void> {
  const cleared = columns.map((name) => `${quoteIdentifier(name)} = NULL`).join(', ')
  await client.query(
    `UPDATE ${qualified(table.target)} t SET ${cleared} FROM outgrow_chosen c WHERE c.id = t.ctid`,
  )
}

function chosen({ target }: PlannedTable): string {
  return `${qualified(target)} t JOIN outgrow_chosen c ON c.id = t.ctid`
}

function keyJson(table: PlannedTable): string {
  const names = table.key.length > 0 ? table.key : table.columns.map(({ source }) => source)
  return jsonOf(
    names
      .map((name) => table.columns.find(({ source }) => source === name))
      .filter((column) => column !== undefined),
  )
}

function jsonOf(columns: PlannedTable['columns']): string {
  return `json_build_object(${columns.map(({ source, target }) => `${quoteLiteral(source)}, t.${quoteIdentifier(target.name)}`).join(', ')})`
}
