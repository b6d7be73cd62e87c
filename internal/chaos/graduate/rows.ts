import { quoteIdentifier, type PostgresClient, type SqliteDatabase } from '@outgrow/databases'
import { canonical, type Value } from './canonical.ts'
import { tables, type Kind, type Table } from './schema.ts'

/** Rows of the application's tables in canonical form, by table. */
export type Rows = Map<string, Record<string, string | null>[]>

const columnsOf = ({ columns }: Table) => Object.entries(columns)

/** @param prefix of the tables' names, as they are after a switch */
export function rowsOfSqlite(database: SqliteDatabase, prefix = ''): Rows {
  return new Map(
    tables.map((table) => {
      const listed = columnsOf(table).map(([name, kind]) => {
        const column = quoteIdentifier(name)
        return kind === 'json' ? `json(${column}) AS ${column}` : column
      })
      const rows = database
        .prepare(`SELECT ${listed.join(', ')} FROM main.${quoteIdentifier(prefix + table.name)}`)
        .safeIntegers(true)
        .all() as Record<string, Value>[]
      return [table.name, sorted(table, rows)]
    }),
  )
}

export async function rowsOfPostgres(client: PostgresClient): Promise<Rows> {
  const all: Rows = new Map()
  for (const table of tables) {
    const listed = columnsOf(table).map(([name, kind]) => {
      const column = quoteIdentifier(name)
      return kind === 'json' || kind === 'time' ? `${column}::text AS ${column}` : column
    })
    const { rows } = await client.query<Record<string, Value>>(
      `SELECT ${listed.join(', ')} FROM public.${quoteIdentifier(table.name)}`,
    )
    all.set(table.name, sorted(table, rows))
  }
  return all
}

function sorted(table: Table, rows: Record<string, Value>[]): Record<string, string | null>[] {
  const canonicalRow = (row: Record<string, Value>) =>
    Object.fromEntries(
      columnsOf(table).map(([name, kind]: [string, Kind]) => [name, canonical(kind, row[name])]),
    )
  const keyOf = (row: Record<string, string | null>) => table.key.map((name) => row[name]).join(' ')
  return rows
    .map(canonicalRow)
    .map((row) => [keyOf(row), row] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, row]) => row)
}

/** Where two databases differ, in words; a few of each table. */
export function differences(one: Rows, other: Rows): string[] {
  const found: string[] = []
  for (const { name } of tables) {
    const lines = (rows: Rows) => new Set((rows.get(name) ?? []).map((row) => JSON.stringify(row)))
    const [here, there] = [lines(one), lines(other)]
    const missing = [...here].filter((line) => !there.has(line))
    const extra = [...there].filter((line) => !here.has(line))
    if (missing.length + extra.length > 0)
      found.push(
        `${name}: ${missing.length} rows only in SQLite, ${extra.length} only in Postgres: ${[...missing.slice(0, 2), '|', ...extra.slice(0, 2)].join(' ')}`,
      )
  }
  return found
}
