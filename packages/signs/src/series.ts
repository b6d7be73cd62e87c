import type { OutsideSample, Sample } from './samples.ts'
import { summarize } from './summary.ts'
import { worstWait } from './waits.ts'

/** Signs over time, one value a slot, as charts draw them: null where nothing was measured. */
export interface Series {
  /** Seconds since 1970, the start of each slot. */
  time: number[]
  lockWaitP50Ms: (number | null)[]
  lockWaitP99Ms: (number | null)[]
  /** Busy errors a minute, by code. */
  busy: Record<string, (number | null)[]>
  /** Per cent of the time. */
  duty: (number | null)[]
  walMegabytes: (number | null)[]
  lagMegabytes: (number | null)[]
  sizeMegabytes: (number | null)[]
  eventLoopP99Ms: (number | null)[]
  /** Postgres only, as the lock waits that its own statistics show. */
  connections: (number | null)[]
  lockWaitMs: (number | null)[]
}

/**
 * Sorts samples, the oldest first, into slots of `slotMs` from `from` to `to`, in ms since 1970. Samples from before tell
 * what the first slot begins with.
 */
export function seriesOf(
  samples: readonly Sample[],
  { from, to, slotMs }: { from: number; to: number; slotMs: number },
): Series {
  const first = Math.floor(from / slotMs)
  const count = Math.floor(to / slotMs) - first + 1
  const slots = Map.groupBy(samples, ({ at }) => Math.floor(at / slotMs) - first)
  // Counters are differences: each slot begins with the last sample that every run left before it, if only before all.
  const lastOfRun = new Map<string, Sample>()
  for (const sample of samples) if (Math.floor(sample.at / slotMs) < first) lastOfRun.set(sample.run, sample)
  const rows = Array.from({ length: count }, (_, slot) => {
    const own = slots.get(slot) ?? []
    const inside = summarize(
      [...lastOfRun.values(), ...own].filter(({ run }) => own.some((sample) => sample.run === run)),
    )
    for (const sample of own) lastOfRun.set(sample.run, sample)
    const looks = own.flatMap(({ values }) => (values.kind === 'outside' ? [values] : []))
    const postgres = own.flatMap(({ values }) => (values.kind === 'postgres' ? [values] : []))
    return {
      inside,
      looks,
      look: looks.at(-1),
      postgres: postgres.at(-1),
      lag: looks.map(({ lagPages, pageBytes }) => ((lagPages ?? 0) * pageBytes) / 1e6),
    }
  })
  const codes = new Set(rows.flatMap(({ inside }) => Object.keys(inside?.busyPerMinute ?? {})))
  const values = (read: (row: (typeof rows)[number]) => number | null | undefined) =>
    rows.map((row) => read(row) ?? null)
  return {
    time: rows.map((_, slot) => ((first + slot) * slotMs) / 1000),
    lockWaitP50Ms: values(({ inside, looks }) => slotWait(0.5, looks, inside?.waitP50Ms)),
    lockWaitP99Ms: values(({ inside, looks }) => slotWait(0.99, looks, inside?.waitP99Ms)),
    busy: Object.fromEntries(
      [...codes]
        .toSorted()
        .map((code) => [code, values(({ inside }) => inside && (inside.busyPerMinute[code] ?? 0))]),
    ),
    duty: values(({ inside }) => inside && inside.duty * 100),
    walMegabytes: values(({ look }) => look && look.walBytes / 1e6),
    lagMegabytes: values(({ lag }) => (lag.length === 0 ? null : Math.max(...lag))),
    sizeMegabytes: values(
      ({ look, postgres }) => (look ?? postgres) && ((look ?? postgres)?.sizeBytes ?? 0) / 1e6,
    ),
    eventLoopP99Ms: values(({ inside }) => inside?.eventLoopP99Ms),
    connections: values(({ postgres }) => postgres?.connections),
    lockWaitMs: values(({ postgres }) => postgres?.lockWaitMs),
  }
}

/** As the verdict has it: the worst of what was looked at and what was counted. */
function slotWait(
  share: number,
  looks: OutsideSample[],
  countedMs: number | null | undefined,
): number | null {
  const known = looks
    .map(({ lock }) => worstWait(share, lock?.waits, countedMs))
    .filter((one) => one !== null)
  return known.length === 0 ? (countedMs ?? null) : Math.max(...known)
}
