import { FindingCollector } from '../model/collectors.ts'
import type { Constraint } from '../model/table.ts'
import { declareConstraint } from '../target/postgres/constraints.ts'
import type { Violation } from '../target/target.ts'
import { constraintJob } from './constraint-job.ts'
import { runJobs, type Job } from './jobs.ts'
import { resolveViolations } from './resolve.ts'
import type { MoveRequest } from './move-request.ts'
import { stage } from './stage.ts'
import { mustStop, type Run, type Step } from './step.ts'

/** Puts foreign keys in place; rows that violate them are resolved by the rules. */
export const constrain: Step<void, MoveRequest> = {
  name: 'constrain',
  title: 'Check foreign keys',
  run: async (run) => {
    const { staging, loaders } = run.of(stage)
    const keys = staging.constraints.filter(({ kind }) => kind === 'foreign')
    const violations: Violation[] = []
    await runJobs(foreignKeyJobs(run, keys, violations), loaders)
    const findings = new FindingCollector()
    if (violations.length > 0) await resolveViolations(run, violations, findings)
    return { value: undefined, findings: findings.findings }
  },
}

/**
 * Declared first, checked afterwards, so that the check needs no strong lock. Declaring locks both tables, and two
 * connections that declare keys of tables that point at each other would wait for each other: one does them all.
 */
function foreignKeyJobs(run: Run<MoveRequest>, keys: Constraint[], violations: Violation[]): Job[] {
  const declare: Job = {
    name: 'declare foreign keys',
    after: [],
    run: async ({ client }) => {
      for (const key of keys) {
        run.request.signal.throwIfAborted()
        await declareConstraint(client, key)
      }
    },
  }
  const mustStopNow = mustStop(run.findings, run.request.options)
  return [
    declare,
    ...keys.map((key) => constraintJob(run, key, [declare], { mustStop: mustStopNow, violations })),
  ]
}
