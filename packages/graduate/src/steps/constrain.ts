import { FindingCollector } from '../model/collectors.ts'
import { plannedTable } from '../model/plan.ts'
import type { Constraint } from '../model/table.ts'
import { declareConstraints } from '../target/postgres/constraints.ts'
import type { Violation } from '../target/target.ts'
import { constraintJobs } from './constraint-jobs.ts'
import { copy } from './copy.ts'
import { runJobs } from './jobs.ts'
import { plan } from './plan.ts'
import { resolveViolations } from './resolve.ts'
import type { MoveRequest } from './move-request.ts'
import { stage } from './stage.ts'
import { mustStop, type Step } from './step.ts'

/** Puts foreign keys in place; rows that violate them are resolved by the rules. */
export const constrain: Step<void, MoveRequest> = {
  name: 'constrain',
  title: 'Check foreign keys',
  run: async (run) => {
    const { staging, loaders } = run.of(stage)
    const keys = staging.constraints.filter(({ kind }) => kind === 'foreign')
    const violations: Violation[] = []
    // Declared first, checked afterwards, so that the check needs no strong lock.
    run.request.signal.throwIfAborted()
    const standing = await declareConstraints(loaders[0].client, keys)
    const { tables } = run.of(copy)
    const tableOf = (key: Constraint) => {
      const table = plannedTable(run.of(plan), key)
      return table && { rows: tables.get(table)?.sent.rows ?? 0, after: [] }
    }
    const mustStopNow = mustStop(run.findings, run.request.options)
    const checks = constraintJobs(run, keys, tableOf, { mustStop: mustStopNow, violations }, standing)
    await runJobs(
      checks.map(({ job }) => job),
      loaders,
    )
    const findings = new FindingCollector()
    if (violations.length > 0) await resolveViolations(run, violations, findings)
    return { value: undefined, findings: findings.findings }
  },
}
