import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { findingOf, type Finding } from '../../model/finding.ts'
import { qualified } from '../../target/postgres/constraints.ts'
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
  for (const { schema, table, columns, parent, kind } of staging.constraints) {
    if (kind !== 'foreign' || parent === null) continue
    const known = tables.find(({ planned: { target } }) => target.schema === schema && target.name === table)
    const points = columns.map((name) => `t.${quoteIdentifier(name)} IS NOT NULL`).join(' AND ')
    const match = columns
      .map((name, at) => `p.${quoteIdentifier(parent.columns[at] as string)} = t.${quoteIdentifier(name)}`)
      .join(' AND ')
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM ${qualified({ schema, name: table })} t WHERE ${points}
          AND NOT EXISTS (SELECT 1 FROM ${qualified({ schema: parent.schema, name: parent.table })} p WHERE ${match})`,
    )
    const count = Number(rows[0]?.count ?? 0)
    if (count === 0) continue
    findings.push(
      findingOf({
        code: 'OUTGROW_ORPHAN',
        table: known?.planned.source.name ?? table,
        column: columns.join(', '),
        count,
        reason: `references a row of ${parent.table} that does not exist`,
        fixes: ['delete these rows or clear the reference in the application’s database'],
      }),
    )
  }
  return findings
}
