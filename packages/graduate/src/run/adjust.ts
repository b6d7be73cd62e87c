import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { RowHasher } from '../copy/digest.ts'
import { hashRows } from '../copy/copy-streams.ts'
import type { PlannedTable } from '../plan.ts'
import type { Finding, ReportedKey } from '../report.ts'
import { addConstraint, dropConstraints, qualified, type Constraint } from '../target/structure.ts'
import { stagedName } from '../target/staging.ts'
import type { Broken } from './constrain.ts'
import { tableOf } from './constrain.ts'
import { mustStop, type Move } from './move.ts'

/**
 * Settles what rows broke, by the rules: clears references, sets rows aside with their children, to the end of the chain.
 * Every change is recorded with the difference it makes to the table's digest. What no rule settles becomes a finding.
 */
export async function settleBroken(move: Move, client: PostgresClient, broken: Broken[]): Promise<void> {
  const references = move.staging.constraints.filter(({ kind }) => kind === 'foreign')
  // Those that stand already would cascade to rows that are to be set aside, not lost.
  await dropConstraints(client, references)
  for (const one of broken.filter(({ constraint }) => constraint.kind !== 'foreign')) {
    const table = tableOf(move, one.constraint)
    if (table) await settleRows(move, client, table, one.constraint.columns, brokenRows(one))
  }
  await settleForeignKeys(move, client)
  if (mustStop(move)) return
  const others = broken.map(({ constraint }) => constraint).filter(({ kind }) => kind !== 'foreign')
  for (const constraint of [...others, ...references]) await addConstraint(client, constraint)
}

/** What is wrong with some rows of a table. */
interface BadRows {
  /** A condition on `t`. */
  where: string
  code: Finding['code']
  reason: string
  fixes: string[]
}

/** Makes a finding of bad rows, and sets them aside where that was asked. */
export async function settleRows(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  columns: string[],
  { where, ...about }: BadRows,
): Promise<void> {
  const count = await countRows(client, table, where)
  if (count === 0) return
  const finding = await describe(client, table, columns, where, { ...about, count })
  move.findings.merge([finding])
  if (move.options.onBadValue === 'quarantine') await setAside(move, client, table, where, finding)
}

/** Which rows break a constraint, as a condition on `t`. */
function brokenRows({ constraint, state, message }: Broken): BadRows {
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
      where: `t.ctid IN (SELECT id FROM (SELECT ctid AS id, row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ctid) AS place
         FROM ${id} ${isSame === '' ? '' : `WHERE ${isSame}`}) x WHERE place > 1)`,
      code: 'OUTGROW_DUPLICATE',
      reason: `has the same ${constraint.plain ? columns.join(', ') : keys.join(', ')} as another row, and ${name} allows one`,
      fixes: ['--on-bad-value quarantine keeps the first'],
    }
  }
  if (state === '54000') {
    const size = names.map((column) => `coalesce(pg_column_size(t.${column}), 0)`).join(' + ')
    return {
      where: `(${size === '' ? '0' : size}) > 2680`,
      code: 'OUTGROW_INDEX_ENTRY_TOO_LARGE',
      reason: `is too long for the index ${name} (2704 bytes at most)`,
      fixes: ['take the index off the field, or make it a hash index on Postgres'],
    }
  }
  return {
    where: `NOT ${/CHECK (\(.*\))/s.exec(definition ?? '')?.[1] ?? 'true'}`,
    code: 'OUTGROW_CHECK_FAILED',
    reason: definition === null ? message : `breaks the check ${name}`,
    fixes: [],
  }
}

async function settleForeignKeys(move: Move, client: PostgresClient): Promise<void> {
  const keys = move.staging.constraints.filter(({ kind }) => kind === 'foreign')
  const { onBadValue, rules } = move.options
  // Rows that are set aside may be parents themselves: go on until nothing points nowhere.
  for (let changed = true; changed;) {
    changed = false
    for (const key of keys) {
      const table = tableOf(move, key)
      if (!table) continue
      const child = orphanCondition(move, key, true)
      const lost = orphanCondition(move, key, false)
      const setAsideParents = await countRows(client, table, child)
      if (setAsideParents > 0) {
        const finding = await describe(client, table, key.columns, child, {
          code: 'OUTGROW_PARENT_QUARANTINED',
          reason: 'parent-quarantined',
          fixes: [],
          count: setAsideParents,
        })
        move.findings.merge([finding])
        await setAside(move, client, table, child, finding)
        changed = true
      }
      const orphans = await countRows(client, table, lost)
      if (orphans === 0) continue
      const optional = key.columns.every(
        (name) => !table.target.columns.find((c) => c.name === name)?.notNull,
      )
      const finding = await describe(client, table, key.columns, lost, {
        code: 'OUTGROW_ORPHAN',
        reason: `points at a row of ${key.parent?.table ?? ''} that does not exist`,
        fixes: optional ? ['orphans-null', 'orphans-quarantine'] : ['orphans-quarantine'],
        count: orphans,
      })
      if (rules.has('orphans-null') && optional) {
        await clearReference(move, client, table, key, lost, finding)
      } else if (rules.has('orphans-quarantine') || onBadValue === 'quarantine') {
        move.findings.merge([finding])
        await setAside(move, client, table, lost, finding)
        changed = true
      } else if (
        !move.findings.findings.some(
          (f) => f.table === finding.table && f.column === finding.column && f.code === finding.code,
        )
      ) {
        move.findings.merge([finding])
      }
    }
  }
}

/**
 * Rows of `t` whose parent was set aside (`setAside`), or was never there. A parent that was set aside as the double of
 * another takes its rows along too: which of the two they meant cannot be told.
 */
function orphanCondition(move: Move, key: Constraint, setAside: boolean): string {
  const parent = key.parent as NonNullable<Constraint['parent']>
  const names = key.columns.map((name) => `t.${quoteIdentifier(name)}`)
  const match = parent.columns.map((name, at) => `p.${quoteIdentifier(name)} = ${names[at]}`).join(' AND ')
  const parentTable = tableOf(move, { schema: parent.schema, table: parent.table })
  const sourceNames = parent.columns.map(
    (name) => parentTable?.columns.find(({ target }) => target.name === name)?.source ?? name,
  )
  const schema = quoteIdentifier(stagedName(move.staging.run, move.staging.home, undefined))
  const inQuarantine = `EXISTS (SELECT 1 FROM ${schema}._outgrow_quarantine q WHERE q.table_name = ${literal(
    parentTable?.source.name ?? parent.table,
  )} AND ${sourceNames.map((name, at) => `q.row->>${literal(name)} = ${names[at]}::text`).join(' AND ')})`
  const pointing = names.map((name) => `${name} IS NOT NULL`).join(' AND ')
  if (setAside) return `${pointing} AND ${inQuarantine}`
  const isThere = `EXISTS (SELECT 1 FROM ${qualified({ schema: parent.schema, name: parent.table })} p WHERE ${match})`
  return `${pointing} AND NOT ${isThere} AND NOT ${inQuarantine}`
}

async function countRows(client: PostgresClient, table: PlannedTable, where: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ${qualified(table.target)} t WHERE ${where}`,
  )
  return Number(rows[0]?.count ?? 0)
}

async function describe(
  client: PostgresClient,
  table: PlannedTable,
  columns: string[],
  where: string,
  about: Pick<Finding, 'code' | 'reason' | 'fixes' | 'count'>,
): Promise<Finding> {
  const column = columns
    .map((name) => table.columns.find(({ target }) => target.name === name)?.source ?? name)
    .join(', ')
  const shown = columns[0]
  const { rows } = await client.query<{ key: ReportedKey; shown: string | null }>(
    `SELECT ${keyJson(table)} AS key, ${shown === undefined ? 'NULL' : `left(t.${quoteIdentifier(shown)}::text, 60)`} AS shown
       FROM ${qualified(table.target)} t WHERE ${where} LIMIT 10`,
  )
  return {
    ...about,
    table: table.source.name,
    column,
    keys: rows.map(({ key }) => key),
    storage: null,
    excerpt: rows[0]?.shown ?? null,
  }
}

function keyJson(table: PlannedTable): string {
  const columns = (table.key.length > 0 ? table.key : table.columns.map(({ source }) => source))
    .map((name) => table.columns.find(({ source }) => source === name))
    .filter((column) => column !== undefined)
  return `json_build_object(${columns.map(({ source, target }) => `${literal(source)}, t.${quoteIdentifier(target.name)}`).join(', ')})`
}

function rowJson(table: PlannedTable): string {
  return `json_build_object(${table.columns.map(({ source, target }) => `${literal(source)}, t.${quoteIdentifier(target.name)}`).join(', ')})`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Moves rows into the quarantine table, in one transaction with the record of it. */
async function setAside(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  where: string,
  finding: Finding,
): Promise<void> {
  const schema = quoteIdentifier(stagedName(move.staging.run, move.staging.home, undefined))
  await client.query('BEGIN')
  await chosenRows(client, table, where)
  const gone = await digestOf(move, client, table, new Set())
  await client.query(
    `INSERT INTO ${schema}._outgrow_quarantine (table_name, key, column_name, reason, row)
     SELECT ${literal(table.source.name)}, ${keyJson(table)}, ${literal(finding.column ?? '')}, ${literal(finding.reason)}, ${rowJson(table)}
       FROM ${qualified(table.target)} t JOIN outgrow_chosen c ON c.id = t.ctid`,
  )
  await client.query(`DELETE FROM ${qualified(table.target)} t USING outgrow_chosen c WHERE c.id = t.ctid`)
  await recordAdjustment(client, schema, table, finding, {
    rule: 'set-aside',
    changed: gone.rows,
    rows: -gone.rows,
    sum: -gone.sum,
  })
  await client.query('DROP TABLE outgrow_chosen')
  await client.query('COMMIT')
}

async function clearReference(
  move: Move,
  client: PostgresClient,
  table: PlannedTable,
  key: Constraint,
  where: string,
  finding: Finding,
): Promise<void> {
  const schema = quoteIdentifier(stagedName(move.staging.run, move.staging.home, undefined))
  await client.query('BEGIN')
  await chosenRows(client, table, where)
  const before = await digestOf(move, client, table, new Set())
  const after = await digestOf(move, client, table, new Set(key.columns))
  const cleared = key.columns.map((name) => `${quoteIdentifier(name)} = NULL`).join(', ')
  await client.query(
    `UPDATE ${qualified(table.target)} t SET ${cleared} FROM outgrow_chosen c WHERE c.id = t.ctid`,
  )
  await recordAdjustment(client, schema, table, finding, {
    rule: 'orphans-null',
    changed: before.rows,
    rows: 0,
    sum: after.sum - before.sum,
  })
  await client.query('DROP TABLE outgrow_chosen')
  await client.query('COMMIT')
}

async function chosenRows(client: PostgresClient, table: PlannedTable, where: string): Promise<void> {
  await client.query(
    `CREATE TEMP TABLE outgrow_chosen AS SELECT t.ctid AS id FROM ${qualified(table.target)} t WHERE ${where}`,
  )
}

async function digestOf(move: Move, client: PostgresClient, table: PlannedTable, cleared: Set<string>) {
  const columns = table.columns.map(({ target }) =>
    cleared.has(target.name) ? `NULL::${target.sqlType}` : `t.${quoteIdentifier(target.name)}`,
  )
  const hasher = new RowHasher(move.hash)
  await hashRows(
    client,
    `COPY (SELECT ${columns.join(', ')} FROM ${qualified(table.target)} t JOIN outgrow_chosen c ON c.id = t.ctid) TO STDOUT (FORMAT binary)`,
    hasher,
  )
  return hasher.digest
}

async function recordAdjustment(
  client: PostgresClient,
  schema: string,
  table: PlannedTable,
  finding: Finding,
  change: { rule: string; changed: number; rows: number; sum: bigint },
): Promise<void> {
  await client.query(`INSERT INTO ${schema}._outgrow_adjustment VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
    table.source.name,
    finding.column ?? '',
    change.rule,
    change.changed,
    change.rows,
    String(change.sum),
    JSON.stringify(finding.keys),
  ])
}

export interface Adjustment {
  table: string
  column: string
  rule: string
  changed: number
  rows: number
  sum: bigint
}

/** What `settleBroken` changed in a run, all attempts included. */
export async function readAdjustments(client: PostgresClient, schema: string): Promise<Adjustment[]> {
  const { rows } = await client.query<
    Record<'table_name' | 'column_name' | 'rule' | 'changed' | 'rows' | 'hash_sum', string>
  >(`SELECT * FROM ${quoteIdentifier(schema)}._outgrow_adjustment`)
  return rows.map((row) => ({
    table: row.table_name,
    column: row.column_name,
    rule: row.rule,
    changed: Number(row.changed),
    rows: Number(row.rows),
    sum: BigInt(row.hash_sum),
  }))
}
