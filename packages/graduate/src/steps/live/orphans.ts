import { pipelined, quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { findingOf, type Finding } from '../../model/finding.ts'
import type { Constraint } from '../../model/table.ts'
import { qualified } from '../../target/postgres/constraints.ts'
import { foreignKeysOf } from '../../target/postgres/live/placing.ts'
import type { LiveSession } from './session.ts'

/**
 * Rows that point nowhere, which the foreign keys would refuse once they are checked: an application whose connections do
 * not switch foreign keys on can write them.
 */
export async function orphans(
  client: PostgresClient,
  { staging, tables }: Pick<LiveSession, 'staging' | 'tables'>,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const keys = foreignKeysOf(staging)
  const counts = await pipelined(client, () => keys.map((key) => countOf(client, key)))
  for (const [at, { schema, table, columns, parent }] of keys.entries()) {
    const count = counts[at] ?? 0
    if (count === 0) continue
    const known = tables.find(({ planned: { target } }) => target.schema === schema && target.name === table)
    findings.push(
      findingOf({
        code: 'OUTGROW_ORPHAN',
        table: known?.planned.source.name ?? table,
        column: columns.join(', '),
        count,
        reason: `references a row of ${parent?.table ?? ''} that does not exist`,
        fixes: ['delete these rows or clear the reference in the application’s database'],
      }),
    )
  }
  return findings
}

async function countOf(
  client: PostgresClient,
  { schema, table, columns, parent }: Constraint,
): Promise<number> {
  if (parent === null) return 0
  const points = columns.map((name) => `t.${quoteIdentifier(name)} IS NOT NULL`).join(' AND ')
  const match = columns
    .map((name, at) => `p.${quoteIdentifier(parent.columns[at] as string)} = t.${quoteIdentifier(name)}`)
    .join(' AND ')
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ${qualified({ schema, name: table })} t WHERE ${points}
          AND NOT EXISTS (SELECT 1 FROM ${qualified({ schema: parent.schema, name: parent.table })} p WHERE ${match})`,
  )
  return Number(rows[0]?.count ?? 0)
}
