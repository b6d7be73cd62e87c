import { quoteIdentifier } from '@outgrow/databases/quote'
import type { TableChanges } from '../../model/change.ts'
import { reportedValue } from '../../model/excerpt.ts'
import type { ReportedKey } from '../../model/finding.ts'
import type { PlannedColumn } from '../../model/plan.ts'
import type { QuarantinedRow } from '../../model/row.ts'
import { Ledger } from '../../ledger/ledger.ts'
import { dirtyTable } from '../../source/sqlite/live/dirty.ts'
import type { LiveSession } from './session.ts'

/**
 * Keeps the changed rows that cannot go to the target beside it, and forgets those that the application has corrected or
 * deleted meanwhile. Within the transaction that applies the rest.
 */
export async function recordQuarantined(
  session: LiveSession,
  changes: readonly TableChanges[],
  rows: QuarantinedRow[],
): Promise<void> {
  const { target, staging, options } = session
  if (options.onBadValue === 'stop') return
  const ledger = new Ledger(target.client, staging)
  const known = await ledger.quarantinedTables()
  for (const { table } of changes) {
    const { name } = table.planned.source
    if (known.includes(name)) await ledger.forgetQuarantined(name, changedKeys(session, table))
  }
  await ledger.quarantineRows(target.client, rows)
}

function changedKeys({ file }: LiveSession, table: TableChanges['table']): ReportedKey[] {
  const names = table.key.map((at) => (table.planned.columns[at] as PlannedColumn).source)
  const rows = file.reader
    .prepare(
      `SELECT ${names.map((name, at) => `k${at + 1} AS ${quoteIdentifier(name)}`).join(', ')} FROM temp.${dirtyTable(table)}`,
    )
    .safeIntegers(true)
    .all() as Record<string, unknown>[]
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, reportedValue(value)])),
  )
}
