import type { DatabaseCounters } from '@outgrow/databases'

/** What one process has counted since it opened the database, and how its event loop did since the sample before. */
export interface InsideSample extends DatabaseCounters {
  kind: 'inside'
  eventLoop: { p50Ms: number; p99Ms: number; longestMs: number }
}

/** What a look at an SQLite file from outside found. */
export interface OutsideSample {
  kind: 'outside'
  sizeBytes: number
  walBytes: number
  /** Pages in the WAL that are not yet in the file; null in other journal modes. */
  lagPages: number | null
  pageBytes: number
  /** Looks that asked for the write lock, and how many found it taken; null without the right to write. */
  lock: { probes: number; busy: number; waits: { buckets: number[]; longestMs: number } } | null
}

/** What a look at a Postgres database found. */
interface PostgresSample {
  kind: 'postgres'
  sizeBytes: number
  /** Null where the role may not see them. */
  connections: number | null
  lockWaitMs: number | null
}

export interface Sample<Values = InsideSample | OutsideSample | PostgresSample> {
  /** Milliseconds since 1970. */
  at: number
  /** Which process counted: `web`, `worker`, `doctor`. */
  process: string
  /** One a start of a process: counters begin at 0 with it. */
  run: string
  values: Values
}
