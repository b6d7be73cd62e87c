import type { Stripe } from 'stripe'
import { addMonths, day, type Seconds } from '../clock.ts'

/** `count` periods of a price after a time. */
export function addPeriods(from: Seconds, { recurring }: Stripe.Price, count: number): Seconds {
  const periods = (recurring?.interval_count ?? 1) * count
  switch (recurring?.interval) {
    case 'day':
      return from + periods * day
    case 'week':
      return from + periods * 7 * day
    case 'year':
      return addMonths(from, periods * 12)
    default:
      return addMonths(from, periods)
  }
}

/** Counted from the anchor, so that the 31st comes back after a short month. */
export function periodEnd(anchor: Seconds, now: Seconds, price: Stripe.Price): Seconds {
  let end = anchor
  for (let period = 1; end <= now; period++) end = addPeriods(anchor, price, period)
  return end
}

export function hasSameInterval(one: Stripe.Price, other: Stripe.Price): boolean {
  return (
    one.recurring?.interval === other.recurring?.interval &&
    one.recurring?.interval_count === other.recurring?.interval_count
  )
}

export function firstPeriodEnd({ items }: Stripe.Subscription): Seconds {
  return Math.min(...items.data.map(({ current_period_end: at }) => at))
}

export function lastPeriodEnd({ items }: Stripe.Subscription): Seconds {
  return Math.max(...items.data.map(({ current_period_end: at }) => at))
}
