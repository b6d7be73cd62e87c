import {
  grantKinds,
  missingItems,
  pipelined,
  quoteIdentifier,
  type DescribedItem,
  type PostgresClient,
} from '@outgrow/databases'
import { findingOf, type Finding } from '../model/finding.ts'
import type { Plan } from '../model/plan.ts'
import type { Staging } from '../model/staging.ts'
import { qualified } from '../target/postgres/constraints.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'

/** What the run promised of the target's structure and the target does not have, and counters that would give a key twice. */
export async function structureFindings(
  target: PostgresTarget,
  plan: Plan,
  run: Staging | undefined,
): Promise<Finding[]> {
  const findings = await countersBehind(target.client, plan)
  if (!run) return findings
  const promised = run.promised.filter(({ kind }) => !grantKinds.has(kind))
  const missing = missingItems(promised, await target.structure(Object.keys(run.schemas)))
  return [...findings, ...missing.map(missingFinding)]
}

/** Without a recorded run nobody knows what the target was meant to have. */
export function structureNotes(run: Staging | undefined): string[] {
  return run ? [] : ['Keys, indexes and defaults were not compared: the target has no record of a run.']
}

function missingFinding({ kind, name, definition }: DescribedItem): Finding {
  return findingOf({
    code: 'OUTGROW_STRUCTURE_MISSING',
    table: name,
    excerpt: definition,
    reason: `the ${kind} that the move created is missing or has changed`,
    fixes: [],
  })
}

/** A counter that stands below the highest key gives that key once more. */
async function countersBehind(client: PostgresClient, plan: Plan): Promise<Finding[]> {
  const counted = plan.tables.flatMap((table) =>
    table.target.columns
      .filter(({ sequence }) => sequence !== undefined)
      .map((column) => ({ ...table, column })),
  )
  const positions = await pipelined(client, () =>
    counted.map(({ target, column }) =>
      client.query<{ next: string; highest: string | null }>(
        `SELECT (SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM ${column.sequence}) AS next,
                (SELECT max(${quoteIdentifier(column.name)})::text FROM ${qualified(target)}) AS highest`,
      ),
    ),
  )
  const findings: Finding[] = []
  for (const [at, { rows }] of positions.entries()) {
    const { source, columns, column } = counted[at] as (typeof counted)[number]
    const { next, highest } = rows[0] as (typeof rows)[number]
    if (highest === null || BigInt(next) > BigInt(highest)) continue
    findings.push(
      findingOf({
        code: 'OUTGROW_COUNTER_BEHIND',
        table: source.name,
        column: columns.find((one) => one.target === column)?.source ?? column.name,
        excerpt: `next ${next}, highest ${highest}`,
        reason: 'has a counter whose next value is already in use',
        fixes: [`SELECT setval('${column.sequence}', ${highest});`],
      }),
    )
  }
  return findings
}
