import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { findingOf, type Finding } from '../../model/finding.ts'
import type { ReversePlan } from '../../model/reverse-plan.ts'
import { qualified } from './constraints.ts'
import { filledTables } from './filled-tables.ts'

/** Tables and columns that the schema does not know: those that hold something, and those that hold nothing. */
export async function unknownRows(
  client: PostgresClient,
  { unknownTables, unknownColumns }: ReversePlan,
): Promise<{ refused: Finding[]; left: Finding[] }> {
  const refused: Finding[] = []
  const left: Finding[] = []
  const add = (isFilled: boolean, table: string, column: string | null, label: string) => {
    const what = column === null ? 'table' : 'column'
    const option = `--skip-${what} ${label}`
    if (isFilled)
      refused.push(
        findingOf({
          code: 'OUTGROW_SCHEMA_DRIFT',
          table,
          column,
          reason: `This ${what} is in Postgres but not in the schema of the file.`,
          fixes: [option],
        }),
      )
    else
      left.push(
        findingOf({
          code: 'OUTGROW_OBJECT_LEFT',
          table,
          column,
          reason: `is a ${what} of Postgres that holds nothing and is not in the schema of the file`,
          fixes: [`${option} leaves it out deliberately`],
        }),
      )
  }
  const filled = new Set(
    await filledTables(
      client,
      unknownTables.map(({ target }) => target),
    ),
  )
  for (const { label, target } of unknownTables) add(filled.has(target), label, null, label)
  for (const { label, table, column } of unknownColumns) {
    const { rows } = await client.query(
      `SELECT 1 FROM ${qualified(table.target)} WHERE ${quoteIdentifier(column.name)} IS NOT NULL LIMIT 1`,
    )
    // What the server computes is no value of anybody's.
    add(rows.length > 0 && !column.generated, table.source.name, column.name, label)
  }
  return { refused, left }
}

/** Rows that a move could not bring along, which it has kept beside the tables: they are no rows of theirs. */
export async function quarantinedNote(client: PostgresClient, home: string): Promise<string[]> {
  const table = qualified({ schema: home, name: '_outgrow_quarantine' })
  const { rows: known } = await client.query('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [table])
  if (known.length === 0) return []
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`)
  const count = Number(rows[0]?.count)
  return count === 0
    ? []
    : [`${count} quarantined ${count === 1 ? 'row stays' : 'rows stay'} behind, in _outgrow_quarantine.`]
}
