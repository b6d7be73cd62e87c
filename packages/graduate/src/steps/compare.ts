import { pipelined } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { quarantinedBy } from '../model/correction.ts'
import { applyToDigest, sameDigest } from '../model/digest.ts'
import type { Finding } from '../model/finding.ts'
import type { PlannedTable } from '../model/plan.ts'
import type { TableReport } from '../model/report.ts'
import { differingGenerated } from './compare-generated.ts'
import { copy } from './copy.ts'
import { analyzeJobs } from './analyze-jobs.ts'
import { runJobs } from './jobs.ts'
import type { MoveRequest } from './move-request.ts'
import { stage } from './stage.ts'
import { mustStop, type Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/**
 * Holds what the target has against what was sent, changed by the recorded corrections; then gathers the statistics of
 * tables that were corrected anew.
 * @throws Failure OUTGROW_VERIFY_MISMATCH
 */
export const compare: Step<TableReport[], MoveRequest> = {
  name: 'compare',
  title: 'Compare digests',
  run: async (run) => {
    const { staging, ledger, loaders } = run.of(stage)
    const { verifies = true } = run.request
    const [target] = loaders
    const [corrections, targets] = await pipelined(target.client, () => [
      ledger.corrections(),
      target.tables(Object.values(staging.schemas)),
    ])
    const value: TableReport[] = []
    const whole: PlannedTable[] = []
    for (const [table, copied] of run.of(copy).tables) {
      const name = table.source.name
      const own = corrections.filter((correction) => correction.table === name)
      const received = own.length > 0 ? undefined : copied.received
      const digest = received ?? (await target.digest(table))
      value.push({
        table: name,
        sourceRows: copied.sourceRows,
        targetRows: digest.rows,
        quarantinedRows: copied.quarantined + quarantinedBy(own),
        digestMatch: verifies && sameDigest(applyToDigest(copied.sent, own), digest),
      })
      // Rows that were quarantined are on one side only.
      if (digest.rows === copied.sourceRows) whole.push(table)
    }
    const wrong = value.filter(({ digestMatch }) => !digestMatch).map(({ table }) => table)
    if (verifies && wrong.length > 0) throw mismatch(wrong)
    const findings: Finding[] = []
    for (const table of whole)
      findings.push(
        ...(await differingGenerated(run.of(takeSnapshot), target, table, targets, run.request.options)),
      )
    const state = { mustStop: mustStop(findings, run.request.options) }
    const copied = run.of(copy).tables
    const changed = [...copied.keys()].filter(({ source }) =>
      corrections.some(({ table }) => table === source.name),
    )
    const rows = (table: PlannedTable) => copied.get(table)?.sent.rows ?? 0
    await runJobs(analyzeJobs(changed, rows, state), loaders)
    return { value, findings }
  },
}

function mismatch(tables: string[]): Failure {
  return new Failure({
    code: 'OUTGROW_VERIFY_MISMATCH',
    message: `The rows in Postgres differ from the rows that were sent: ${tables.join(', ')}. Nothing was published.`,
    why: 'A trigger, a rule or another session changed rows in the run’s own schema, or this is a bug.',
    fix: 'Run again with --restart. If the error persists, report it with the output of --json.',
  })
}
