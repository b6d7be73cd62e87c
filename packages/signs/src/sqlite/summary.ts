import { emptyDurations, quantileMs } from '@outgrow/databases'
import type { InsideSample, Sample } from '../samples.ts'

/** What all processes together met over a while. */
export interface InsideSummary {
  /** From the first sample to the last. */
  spanMs: number
  writes: number
  waitP50Ms: number | null
  waitP99Ms: number | null
  busyByCode: Record<string, number>
  /** The share of the time for which somebody held the write lock. */
  duty: number
  /** The worst process', over the worst interval but few. */
  eventLoopP99Ms: number | null
}

/** Adds up what the processes counted between their first and their last sample of the given ones. */
export function summarise(samples: readonly Sample[]): InsideSummary | undefined {
  const inside = samples.filter((sample): sample is Sample<InsideSample> => sample.values.kind === 'inside')
  const runs = Map.groupBy(inside, ({ run }) => run)
  const busyByCode: Record<string, number> = {}
  const waits = emptyDurations()
  let writes = 0
  let heldMs = 0
  for (const run of runs.values()) {
    for (const [at, { values }] of run.entries()) {
      const before = run[at - 1]?.values
      if (!before) continue
      writes += values.writes.count - before.writes.count
      heldMs += values.writes.totalMs - before.writes.totalMs
      waits.longestMs = Math.max(waits.longestMs, values.waits.longestMs)
      for (const [slot, count] of values.waits.buckets.entries())
        waits.buckets[slot] = (waits.buckets[slot] ?? 0) + count - (before.waits.buckets[slot] ?? 0)
      for (const [code, count] of Object.entries(values.busyByCode)) {
        const more = count - (before.busyByCode[code] ?? 0)
        if (more > 0) busyByCode[code] = (busyByCode[code] ?? 0) + more
      }
    }
  }
  const first = inside[0]
  const last = inside.at(-1)
  if (!first || !last || last.at === first.at) return undefined
  const spanMs = last.at - first.at
  const loops = inside.map(({ values }) => values.eventLoop.p99Ms).toSorted((a, b) => a - b)
  return {
    spanMs,
    writes,
    waitP50Ms: quantileMs(waits, 0.5) ?? null,
    waitP99Ms: quantileMs(waits, 0.99) ?? null,
    busyByCode,
    duty: Math.min(1, heldMs / spanMs),
    eventLoopP99Ms: loops[Math.floor((loops.length - 1) * 0.95)] ?? null,
  }
}
