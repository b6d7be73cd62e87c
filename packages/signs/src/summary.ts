import { emptyDurations, quantileMs } from '@outgrow/databases'
import type { InsideSample, Sample } from './samples.ts'

/** What all processes together met over a while. */
export interface InsideSummary {
  /** Waits for the write lock, or for a connection. */
  waitP50Ms: number | null
  waitP99Ms: number | null
  busyPerMinute: Record<string, number>
  /** The share of the time for which somebody held the write lock. */
  duty: number
  /** The worst process', over the worst interval but few. */
  eventLoopP99Ms: number | null
}

/**
 * Adds up what the processes counted between their first and their last sample of the given ones, each over its own time.
 * Undefined when no process left two.
 */
export function summarize(samples: readonly Sample[]): InsideSummary | undefined {
  const inside = samples.filter((sample): sample is Sample<InsideSample> => sample.values.kind === 'inside')
  const runs = [...Map.groupBy(inside, ({ run }) => run).values()]
    .map((run) => run.toSorted((a, b) => a.at - b.at))
    .filter((run) => run.length > 1)
  if (runs.length === 0) return undefined
  const busyPerMinute: Record<string, number> = {}
  const waits = emptyDurations()
  let duty = 0
  for (const run of runs) {
    const [first, last] = [run[0], run.at(-1)] as [Sample<InsideSample>, Sample<InsideSample>]
    const spanMs = last.at - first.at
    duty += (last.values.writes.totalMs - first.values.writes.totalMs) / spanMs
    waits.longestMs = Math.max(waits.longestMs, last.values.waits.longestMs)
    for (const [slot, count] of last.values.waits.buckets.entries())
      waits.buckets[slot] = (waits.buckets[slot] ?? 0) + count - (first.values.waits.buckets[slot] ?? 0)
    for (const [code, count] of Object.entries(last.values.busyByCode)) {
      const more = count - (first.values.busyByCode[code] ?? 0)
      if (more > 0) busyPerMinute[code] = (busyPerMinute[code] ?? 0) + (more * 60_000) / spanMs
    }
  }
  const loops = runs
    .flatMap((run) => run.slice(1).map(({ values }) => values.eventLoop.p99Ms))
    .toSorted((a, b) => a - b)
  return {
    waitP50Ms: quantileMs(waits, 0.5) ?? null,
    waitP99Ms: quantileMs(waits, 0.99) ?? null,
    busyPerMinute,
    duty: Math.min(1, duty),
    eventLoopP99Ms: loops[Math.floor((loops.length - 1) * 0.95)] ?? null,
  }
}
