import { timeOf, type Billing } from '../context.ts'
import type { LeasedEvent } from '../store.ts'
import type { SyncOutcome } from '../sync/sync-customer.ts'
import { errorText, maxAttempts, nextAttemptAt } from './backoff.ts'
import { pauseOf } from './rate-limit.ts'

/** `limited`: Stripe asked to wait, which counts as no attempt. */
export type EventOutcome = SyncOutcome | 'ignored' | 'failed' | 'limited' | 'dead'

/**
 * Whether Stripe refused for too many calls. An object that another request has locked is refused alike, and is no reason to
 * pause; nor is what a hook or a policy was refused elsewhere.
 */
export function isRateLimit(error: unknown): boolean {
  const { type, statusCode, code } = (error ?? {}) as Record<'type' | 'statusCode' | 'code', unknown>
  const isStripes = typeof type === 'string' && type.startsWith('Stripe')
  return isStripes && statusCode === 429 && code !== 'lock_timeout'
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
  // Each waits as long as its own attempts ask for: a customer's new events must not wear the older ones out.
  for (const [attempts, same] of Map.groupBy(left, (event) => event.attempts))
    await inbox.postpone(same, nextAttemptAt(now, attempts, error), text)
  for (const { id } of left) report('failed', id)
}
