import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import type { Upkeep } from '../store.ts'

const taskName = 'reconcile'
/** One that does not say within this time that it goes on is taken for dead. */
const leaseMs = 10 * 60_000

export interface LastReconciliation {
  finishedAt: Date
  findings: number
}

export async function lastReconciliation({ task }: Upkeep): Promise<LastReconciliation | null> {
  const last = await task(taskName)
  return last?.finishedAt ? { finishedAt: last.finishedAt, findings: last.findings ?? 0 } : null
}

export interface TaskLease {
  /** Says that it goes on. To be called now and then. @throws Failure OUTGROW_BILLING_RECONCILING when it was taken for dead */
  extend(): Promise<void>
}

/**
 * Does the work while no other process does it.
 * @param work returns its result with the number of its findings, which are kept
 * @param beatMs how often it says by itself that it goes on
 * @throws Failure OUTGROW_BILLING_RECONCILING when another one is at it
 */
export async function asOnlyReconciliation<Result>(
  billing: Billing,
  work: (lease: TaskLease) => Promise<{ result: Result; findings: number }>,
  beatMs = 30_000,
): Promise<Result> {
  const { upkeep } = billing.store
  const start = timeOf(billing)
  let until = new Date(start.getTime() + leaseMs)
  let extending = Promise.resolve()
  if (!(await upkeep.beginTask(taskName, start, until))) throw busy((await upkeep.task(taskName))?.startedAt)
  const extendOnce = async () => {
    const now = timeOf(billing)
    if (until.getTime() - now.getTime() > leaseMs / 2) return
    const next = new Date(now.getTime() + leaseMs)
    if (!(await upkeep.extendTask(taskName, until, next)))
      throw busy((await upkeep.task(taskName))?.startedAt)
    until = next
  }
  // One after another: each names the end that the one before has set.
  const extend = () => (extending = extending.catch(() => {}).then(extendOnce))
  // Some steps take long without a word, such as working off a month's events. What is lost, the next step hears.
  const beat = setInterval(() => void extend().catch(() => {}), beatMs).unref()
  let done: { finishedAt: Date; findings: number } | undefined
  try {
    const { result, findings } = await work({ extend })
    done = { finishedAt: timeOf(billing), findings }
    return result
  } finally {
    clearInterval(beat)
    await extending.catch(() => {})
    await upkeep.endTask(taskName, until, done)
  }
}

function busy(since: Date | null | undefined): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_RECONCILING',
    message: `Another reconciliation is running${since ? ` since ${since.toISOString()}` : ''}.`,
    why: 'Two at once would ask Stripe for everything twice.',
    fix: 'Wait for its end. One that died is taken for over after ten minutes.',
  })
}
