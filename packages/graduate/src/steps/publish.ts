import type { Ledger } from '../ledger/ledger.ts'
import { setCounters } from '../target/postgres/counters.ts'
import { withLocks } from '../target/postgres/locks.ts'
import { putInPlace } from '../target/postgres/put-in-place.ts'
import type { FixReport } from '../model/report.ts'
import { baselineOf, writeBaselineFiles } from './baseline.ts'
import { compare } from './compare.ts'
import { count } from './count.ts'
import { prepare } from './prepare.ts'
import type { MoveRequest } from './move-request.ts'
import { stage } from './stage.ts'
import type { Step } from './step.ts'

/**
 * Moves everything that was built into its place, in one transaction: it is all there, or nothing is.
 * @throws Failure OUTGROW_TARGET_CHANGED, OUTGROW_STRUCTURE_MISMATCH, OUTGROW_TARGET_LOCKED
 */
export const publish: Step<{ notes: string[] }, MoveRequest> = {
  name: 'publish',
  title: 'Publish',
  run: async (run) => {
    const { staging, ledger, loaders } = run.of(stage)
    const { writesHistory } = run.request
    const [{ client }] = loaders
    const prepared = run.of(prepare)
    const baseline = writesHistory ? baselineOf(prepared, staging) : []
    const fixes = await correctedByRules(ledger)
    const result = { tables: run.of(compare), findings: run.findings, fixes: [...run.fixes, ...fixes] }
    await withLocks(client, Object.keys(staging.schemas), async () => {
      await putInPlace(client, staging, baseline)
      await setCounters(client, run.of(count))
      await ledger.publish(staging, result, run.steps)
    })
    const notes = writesHistory ? writeBaselineFiles(prepared, staging, baseline) : []
    return { value: { notes }, fixes }
  },
}

/** References that a rule cleared are reported like values that one changed. */
async function correctedByRules(ledger: Ledger): Promise<FixReport[]> {
  const corrections = await ledger.corrections()
  return corrections
    .filter(({ rows }) => rows === 0)
    .map(({ rule, table, column, changed }) => ({ rule, table, column, count: changed }))
}
