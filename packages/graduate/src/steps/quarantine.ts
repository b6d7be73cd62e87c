import type { Ledger } from '../ledger/ledger.ts'
import type { FindingCollector } from '../model/collectors.ts'
import type { Finding } from '../model/finding.ts'
import type { PlannedTable } from '../model/plan.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'
import {
  chooseRows,
  clearChosen,
  countRows,
  describeRows,
  digestOfChosen,
  quarantineChosen,
  type ViolatingRows,
} from '../target/postgres/violating-rows.ts'

/** Makes a finding of violating rows, and quarantines them where that was asked. */
export async function quarantineViolating(
  ledger: Ledger,
  target: PostgresTarget,
  table: PlannedTable,
  { findings, quarantines }: { readonly findings: FindingCollector; readonly quarantines: boolean },
  rows: ViolatingRows,
): Promise<void> {
  const count = await countRows(target.client, table, rows.where)
  if (count === 0) return
  const finding = await describeRows(target.client, table, rows, count)
  findings.merge([finding])
  if (quarantines) await quarantine(ledger, target, table, rows.where, finding)
}

/** Moves rows into the run's quarantine, in one transaction with the record of it. */
export async function quarantine(
  ledger: Ledger,
  target: PostgresTarget,
  table: PlannedTable,
  where: string,
  finding: Finding,
): Promise<void> {
  const { client } = target
  await target.transaction(async () => {
    await chooseRows(client, table, where)
    const gone = await digestOfChosen(target, table)
    await quarantineChosen(client, table, ledger.quarantine, finding)
    await ledger.recordCorrection(
      client,
      {
        table: table.source.name,
        column: finding.column ?? '',
        rule: 'quarantine',
        changed: gone.rows,
        rows: -gone.rows,
        sum: -gone.sum,
      },
      finding.keys,
    )
  })
}

/** Clears a reference in rows, in one transaction with the record of it. */
export async function clearReference(
  ledger: Ledger,
  target: PostgresTarget,
  table: PlannedTable,
  columns: string[],
  where: string,
  rule: string,
  finding: Finding,
): Promise<void> {
  const { client } = target
  await target.transaction(async () => {
    await chooseRows(client, table, where)
    const before = await digestOfChosen(target, table)
    const after = await digestOfChosen(target, table, new Set(columns))
    await clearChosen(client, table, columns)
    await ledger.recordCorrection(
      client,
      {
        table: table.source.name,
        column: finding.column ?? '',
        rule,
        changed: before.rows,
        rows: 0,
        sum: after.sum - before.sum,
      },
      finding.keys,
    )
  })
}
