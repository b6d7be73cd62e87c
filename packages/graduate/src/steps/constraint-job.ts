import type { Constraint } from '../model/table.ts'
import type { Violation } from '../target/target.ts'
import type { Job } from './jobs.ts'
import type { Run } from './step.ts'

/** Puts one key, index or check in place, and collects the violation where rows do not allow it. */
export function constraintJob(
  { request }: Run,
  constraint: Constraint,
  after: Job[],
  state: { readonly mustStop: boolean; violations: Violation[] },
): Job {
  return {
    name: `${constraint.kind} ${constraint.name}`,
    after,
    run: async (target) => {
      if (state.mustStop) return
      request.signal.throwIfAborted()
      const violation = await target.constrain(constraint)
      if (violation) state.violations.push(violation)
    },
  }
}
