import { sameDigest } from '../model/digest.ts'
import { findingOf, type Finding } from '../model/finding.ts'
import type { MoveOptions } from '../model/options.ts'
import type { PlannedTable } from '../model/plan.ts'
import type { TargetTable } from '../model/table.ts'
import type { Snapshot } from '../source/source.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'

/**
 * Columns that both databases compute and that come to other values in the target.
 * @param targets the target's tables as they are by now
 */
export async function differingGenerated(
  snapshot: Snapshot,
  target: PostgresTarget,
  table: PlannedTable,
  targets: TargetTable[],
  options: MoveOptions,
): Promise<Finding[]> {
  const columns =
    targets.find(({ schema, name }) => schema === table.target.schema && name === table.target.name)
      ?.columns ?? []
  const computed = table.source.columns.flatMap(({ name, generated }) => {
    const column = columns.find((one) => one.generated && one.name === name)
    return generated && column
      ? [{ source: name, target: { ...column, notNull: false }, castTo: undefined }]
      : []
  })
  const findings: Finding[] = []
  for (const column of computed) {
    const part = { ...table, columns: [column] }
    const { digest } = await snapshot.digest(part, options)
    if (sameDigest(digest, await target.digest(part))) continue
    findings.push(
      findingOf({
        code: 'OUTGROW_GENERATED_DIFFERS',
        table: table.source.name,
        column: column.source,
        reason: 'is computed by both databases, but Postgres computes different values in some rows',
        fixes: [`--skip-object '${table.source.name}.${column.source}' leaves it out deliberately`],
      }),
    )
  }
  return findings
}
