import { timeOf, type Billing } from '../context.ts'
import type { LeasedEvent } from '../store.ts'
import type { SyncOutcome } from '../sync/sync-customer.ts'
import { errorText, maxAttempts, nextAttemptAt } from './backoff.ts'
import { pauseOf } from './rate-limit.ts'

/** `limited`: Stripe asked to wait, which counts as no attempt. */
export type EventOutcome = SyncOutcome | 'ignored' | 'failed' | 'limited' | 'dead'

/** Whether Stripe refused for too many calls. */
export function isRateLimit(error: unknown): boolean {
  return (error as { statusCode?: unknown } | null)?.statusCode === 429
}

/** Records that events of one customer could not be processed: each is tried again, or given up. */
export async function putBack(
  billing: Billing,
  events: readonly LeasedEvent[],
  error: unknown,
  report: (outcome: EventOutcome, id: number) => void,
): Promise<void> {
  if (events.length === 0) return
  const { inbox } = billing.store
  const now = timeOf(billing)
  const text = errorText(error)
  if (isRateLimit(error)) {
    await inbox.release(events, pauseOf(billing).begin(error), text)
    for (const { id } of events) report('limited', id)
    return
  }
  const dead = events.filter(({ attempts }) => attempts >= maxAttempts)
  const left = events.filter(({ attempts }) => attempts < maxAttempts)
  if (dead.length > 0) await inbox.bury(dead, text)
  for (const { id } of dead) report('dead', id)
  if (left.length === 0) return
  const fewest = Math.min(...left.map(({ attempts }) => attempts))
  await inbox.postpone(left, nextAttemptAt(now, fewest, error), text)
  for (const { id } of left) report('failed', id)
}
