import { Failure, messageOf } from '@outgrow/kit'
import { quoted } from '../prisma/sql/quoted.ts'
import type { AdoptRequest, ColumnRole, OnlyRows, StoredColumns } from './adoption.ts'
import { describeTable, type Column, type ColumnKind, type Table } from './catalog.ts'
import type { AdoptConnection } from './connection.ts'
import { presetOf, type Preset } from './presets.ts'
import { parseTableName } from './table-name.ts'

/** Where the events are read from: a table that is there, with the columns that are. */
export interface EventSource {
  table: Table
  name: string
  columns: Partial<Record<ColumnRole, Column>>
  only: { column: Column; value: string } | undefined
  /** What is to be known about its rows. */
  note: string | undefined
}

interface Wanted {
  table: string
  columns: StoredColumns
  only: OnlyRows | undefined
}

/** What each column may hold. */
const kinds: Record<ColumnRole, readonly ColumnKind[]> = {
  id: ['text', 'bytes'],
  payload: ['text', 'json', 'bytes'],
  data: ['text', 'json', 'bytes'],
  type: ['text'],
  livemode: ['boolean', 'number', 'text'],
  apiVersion: ['text'],
  created: ['time', 'number', 'text'],
  received: ['time', 'number', 'text'],
  done: ['boolean', 'number', 'text', 'time'],
  valid: ['boolean', 'number', 'text'],
}

/**
 * Finds the table of events and its columns. Undefined where none was named.
 * @throws Failure OUTGROW_ADOPT_PRESET, OUTGROW_ADOPT_TABLE, OUTGROW_ADOPT_COLUMN
 */
export async function findSource(
  connection: AdoptConnection,
  request: AdoptRequest,
): Promise<EventSource | undefined> {
  const preset = request.preset === undefined ? undefined : presetOf(request.preset)
  if (request.table === undefined && preset === undefined) {
    if (Object.values(request.columns).every((name) => name === undefined) && !request.only) return undefined
    throw new Failure({
      code: 'OUTGROW_ADOPT_TABLE',
      message: 'Columns were named, but no table.',
      fix: 'Name it with --table, or pass --preset.',
    })
  }
  const candidates = wantedTables(request, preset)
  let firstProblem: Failure | undefined
  for (const wanted of candidates) {
    const source = await sourceOf(connection, wanted, preset)
    if (!(source instanceof Failure)) return source
    firstProblem ??= source
  }
  throw firstProblem as Failure
}

function wantedTables(request: AdoptRequest, preset: Preset | undefined): Wanted[] {
  const named = Object.fromEntries(Object.entries(request.columns).filter(([, name]) => name !== undefined))
  if (preset === undefined) return [{ table: request.table as string, columns: named, only: request.only }]
  return preset.shapes.map(({ table, columns, only }) => ({
    table: request.table ?? table,
    columns: { ...columns, ...named },
    only: request.only ?? only,
  }))
}

async function sourceOf(
  connection: AdoptConnection,
  { table: name, columns, only }: Wanted,
  preset: Preset | undefined,
): Promise<EventSource | Failure> {
  const parsed = parseTableName(name)
  let table: Table | undefined
  try {
    table =
      (await describeTable(connection, parsed)) ??
      (await describeTable(connection, { schema: undefined, name: name.trim() }))
  } catch (cause) {
    return unreadable(name, cause)
  }
  if (table === undefined) return noTable(name, preset)
  const find = (wanted: string) =>
    table.columns.find((column) => column.name === wanted) ??
    (connection.provider === 'sqlite'
      ? table.columns.find((column) => column.name.toLowerCase() === wanted.toLowerCase())
      : undefined)
  const wanted = [...Object.values(columns), ...(only ? [only.column] : [])].filter(
    (column) => column !== undefined,
  )
  const missing = wanted.filter((column) => !find(column))
  const there = table.columns.map((column) => column.name).join(', ')
  if (missing.length > 0) {
    return new Failure({
      code: 'OUTGROW_ADOPT_TABLE',
      message: `The table ${name} has no column ${missing.join(', ')}; it has ${there}.`,
      fix: nameColumns,
    })
  }
  const found = Object.fromEntries(
    Object.entries(columns).map(([role, column]) => [role, find(column as string)]),
  ) as EventSource['columns']
  if (found.id === undefined && found.payload === undefined) {
    return new Failure({
      code: 'OUTGROW_ADOPT_TABLE',
      message: `No column of ${name} was named for the event ids; it has ${there}.`,
      fix: nameColumns,
    })
  }
  const wrong = wrongKind(name, found)
  if (wrong) return wrong
  const problem = await readProblem(connection, name, table, wanted, find)
  if (problem) return problem
  const filter = only && { column: find(only.column) as Column, value: only.value }
  return { table, name, columns: found, only: filter, note: preset?.note }
}

/** What reading it would fail with: permissions, a policy that hides rows, a view whose table is gone. */
async function readProblem(
  { query }: AdoptConnection,
  name: string,
  table: Table,
  wanted: string[],
  find: (column: string) => Column | undefined,
): Promise<Failure | undefined> {
  const columns = wanted.map((column) => `t.${quoted(find(column)?.name ?? column)}`).join(', ')
  try {
    await query(`SELECT ${columns} FROM ${table.sql} t LIMIT 0`)
    return undefined
  } catch (cause) {
    return unreadable(name, cause)
  }
}

function unreadable(name: string, cause: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_ADOPT_TABLE',
    message: `The table ${name} cannot be read: ${messageOf(cause)}`,
    fix: 'Connect as a user who may read all of it; of a view, correct its definition.',
    cause,
  })
}

const nameColumns =
  'Name the table with --table, and its columns with --column (the event id), --payload, --type, --done, --valid and the others that --help lists.'

function noTable(name: string, preset: Preset | undefined): Failure {
  return new Failure({
    code: 'OUTGROW_ADOPT_TABLE',
    message: `There is no table ${name}.`,
    ...(preset && { why: `${preset.of} keeps its events there.` }),
    fix: preset
      ? `Check --database. If the table has another name or is in another schema, pass it with --table.`
      : 'Check --database and --table; a table of another schema is named like stripe.events.',
  })
}

function wrongKind(table: string, columns: EventSource['columns']): Failure | undefined {
  for (const [role, column] of Object.entries(columns) as [ColumnRole, Column][]) {
    const allowed = kinds[role]
    if (column.kind === 'any' || allowed.includes(column.kind)) continue
    return new Failure({
      code: 'OUTGROW_ADOPT_COLUMN',
      message: `The column ${column.name} of ${table} is ${column.type}, which ${holds[role]}.`,
      why: `Expected ${allowed.join(', ')}.`,
      fix: 'Name another column, or read the table through a view that converts it.',
    })
  }
  return undefined
}

const holds: Record<ColumnRole, string> = {
  id: 'cannot hold Stripe’s event ids (evt_…)',
  payload: 'cannot hold an event’s JSON',
  data: 'cannot hold an event’s data',
  type: 'cannot hold an event’s type',
  livemode: 'cannot say yes or no',
  apiVersion: 'cannot hold an API version',
  created: 'cannot hold a time',
  received: 'cannot hold a time',
  done: 'cannot say yes or no',
  valid: 'cannot say yes or no',
}
