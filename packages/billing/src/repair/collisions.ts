import type { Arrival, BillingStore } from '../store.ts'

const withinMs = 1000
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** A day of a busy application; more would say nothing new. */
const maxArrivals = 100_000

/** When webhooks about customers arrived, the oldest first; what was fetched by reconcile is none. */
export function webhookArrivals({ upkeep }: BillingStore, since: Date): Promise<Arrival[]> {
  return upkeep.arrivals(since, maxArrivals)
}

/** Colliding webhooks in the busiest minute of the last day. */
export async function maxCollisions(store: BillingStore): Promise<number> {
  const arrivals = await webhookArrivals(store, new Date(Date.now() - dayMs))
  return Math.max(0, ...collisionsPerMinute(arrivals).values())
}

/** By minute in ms since 1970: webhooks that arrived within a second of another of the same customer. */
export function collisionsPerMinute(arrivals: readonly Arrival[]): Map<number, number> {
  const perMinute = new Map<number, number>()
  for (const own of Map.groupBy(arrivals, ({ customer }) => customer).values()) {
    for (const [index, { at }] of own.entries()) {
      const near = (other: Arrival | undefined) =>
        other !== undefined && Math.abs(other.at.getTime() - at.getTime()) <= withinMs
      if (!near(own[index - 1]) && !near(own[index + 1])) continue
      const minute = Math.floor(at.getTime() / minuteMs) * minuteMs
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1)
    }
  }
  return perMinute
}
