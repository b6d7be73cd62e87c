import type { Stripe } from 'stripe'
import { timeOf, type Billing } from '../context.ts'
import { retryAfterMs } from './backoff.ts'

/** When Stripe does not say how long to wait. */
const defaultPauseMs = 1000
const maxPauseMs = 60_000

/** A pause that Stripe asked for with 429. Every worker of the process that uses one client keeps it. */
export interface Pause {
  /** Whether it lasts, at a time of `Billing.now`. */
  lasts(now: Date): boolean
  /** Begins it, or makes it longer; returns its end. */
  begin(error: unknown): Date
  /** Stripe answered: the next pause is short again. */
  end(): void
}

const pauses = new WeakMap<Stripe, { until: number; refusals: number }>()

export function pauseOf(billing: Pick<Billing, 'stripe' | 'now'>): Pause {
  const pause = pauses.get(billing.stripe) ?? { until: 0, refusals: 0 }
  pauses.set(billing.stripe, pause)
  return {
    lasts: (now) => now.getTime() < pause.until,
    begin(error) {
      const now = timeOf(billing).getTime()
      // Those that were under way when it began are refused with it: they are one refusal.
      if (now >= pause.until) pause.refusals++
      const own =
        Math.min(maxPauseMs, defaultPauseMs * 2 ** (pause.refusals - 1)) * (0.75 + Math.random() / 4)
      pause.until = Math.max(pause.until, now + (retryAfterMs(error) || own))
      return new Date(pause.until)
    },
    end() {
      pause.refusals = 0
    },
  }
}
