import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { hashRows } from '../copy/copy-streams.ts'
import { RowHasher, sameDigest } from '../copy/digest.ts'
import type { PlannedTable } from '../plan.ts'
import { findingOf, type Finding } from '../report.ts'
import { readTargetTables } from '../target/catalog.ts'
import { qualified } from '../target/structure.ts'
import type { Move } from './move.ts'

/** Columns that both databases compute and that come to other values in Postgres. */
export async function differingGenerated(move: Move, client: PostgresClient): Promise<Finding[]> {
  const targets = await readTargetTables(client, Object.values(move.staging.schemas))
  const findings: Finding[] = []
  for (const [table, state] of move.tables) {
    const columns =
      targets.find(({ schema, name }) => schema === table.target.schema && name === table.target.name)
        ?.columns ?? []
    const computed = table.source.columns.flatMap(({ name, generated }) => {
      const target = columns.find((column) => column.generated && column.name === name)
      return generated && target
        ? [{ source: name, target: { ...target, notNull: false }, castTo: undefined }]
        : []
    })
    // Rows that were set aside are on one side only.
    if (computed.length === 0 || state.received?.rows !== state.sourceRows) continue
    for (const column of computed) {
      const alone: PlannedTable = { ...table, columns: [column] }
      const { digest } = await move.reader.digest(alone, move.options)
      const hasher = new RowHasher(move.hash)
      // COPY takes no generated column by its name, but what a query gives.
      const query = `SELECT ${quoteIdentifier(column.target.name)} FROM ${qualified(table.target)}`
      await hashRows(client, `COPY (${query}) TO STDOUT (FORMAT binary)`, hasher)
      if (sameDigest(digest, hasher.digest)) continue
      findings.push(
        findingOf({
          code: 'OUTGROW_GENERATED_DIFFERS',
          table: table.source.name,
          column: column.source,
          reason: 'is computed by both databases, and Postgres comes to other values in some rows',
          fixes: [`--skip-object '${table.source.name}.${column.source}' leaves it behind knowingly`],
        }),
      )
    }
  }
  return findings
}
