import { Failure } from '@outgrow/kit'
import { planMove, refuseDrift, type Plan } from '../model/plan.ts'
import { restoreOptions, type MoveOptions } from '../model/options.ts'
import { stagedName, type Staging } from '../model/staging.ts'
import { claimTarget, openTarget, type OpenTarget } from './open-target.ts'
import { prepare } from './prepare.ts'
import { inspectTarget } from './inspect-target.ts'
import { stage } from './stage.ts'
import type { Run, Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/**
 * Pairs the source's tables and columns with the target's: with those that were built, or with those that are there.
 * @throws Refusal OUTGROW_SCHEMA_DRIFT
 */
export const plan: Step<Plan> = {
  name: 'plan',
  title: 'Pair tables and columns',
  completesFindings: true,
  run: async (run) => {
    const looked = run.maybe(inspectTarget)
    if (looked) return { value: looked.plan, findings: [...looked.plan.findings, ...looked.plan.left] }
    const { target, recorded } = targetOf(run)
    const staging = run.maybe(stage)?.staging
    const home = run.request.target.schema
    const { storage, others } = run.of(prepare)
    const nameOf = staging
      ? (schema: string | undefined) => stagedName(staging.run, staging.home, schema)
      : (schema: string | undefined) => schema ?? home
    const targets = await target.tables([home, ...others].map(nameOf))
    if (targets.length === 0) throw emptyTarget()
    const value = planMove(
      run.of(takeSnapshot).tables(),
      storage,
      targets,
      nameOf,
      optionsOf(run, staging ? undefined : recorded),
    )
    refuseDrift(value.findings)
    // What stays behind is a finding of the move; whoever compares later was told by it.
    return { value, findings: staging ? value.left : [] }
  },
}

/** The target as this flow opened it. */
export function targetOf(run: Run): OpenTarget {
  return run.maybe(claimTarget) ?? run.of(openTarget)
}

/** What a recorded run was asked for, so that what is compared is what was meant to arrive; else what this one is. */
export function optionsOf({ request }: Run, recorded: Staging | undefined): MoveOptions {
  return recorded ? restoreOptions(recorded.record) : request.options
}

function emptyTarget(): Failure {
  return new Failure({
    code: 'OUTGROW_TARGET_EMPTY',
    message: 'The target has no tables.',
    fix: 'Run outgrow migrate first, or check --to.',
  })
}
