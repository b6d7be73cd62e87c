import { setTimeout as sleep } from 'node:timers/promises'
import { timeOf, type Billing } from '../context.ts'
import { runWorker, type WorkerTotals } from '../worker/run-worker.ts'

const lookMs = 250

/** Works off what was received by then, and ends, however much arrives meanwhile. */
export async function drainReceived(
  billing: Billing,
  receivedBy: Date,
  signal?: AbortSignal,
): Promise<WorkerTotals> {
  const done = new AbortController()
  const working = runWorker({
    ...billing,
    untilEmpty: true,
    signal: signal ? AbortSignal.any([signal, done.signal]) : done.signal,
  })
  const watching = (async () => {
    for (;;) {
      await sleep(lookMs, undefined, { signal: done.signal })
      if ((await billing.store.upkeep.dueEvents(receivedBy, timeOf(billing))) === 0) return done.abort()
    }
  })()
  // Ended with the other; what cannot be looked at ends it too.
  watching.catch(() => done.abort())
  try {
    return await working
  } finally {
    done.abort()
  }
}
