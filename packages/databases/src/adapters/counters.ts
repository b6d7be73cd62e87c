import type { ReplicaCounters } from '../replicas/replica-counters.ts'

/** How long something took, over and over. */
export interface Durations {
  count: number
  totalMs: number
  longestMs: number
  /** How many took less than 1, 2, 4, … ms; the last slot is for all that took longer. Differences of two readings add up. */
  buckets: number[]
}

/** What a database has met since it was opened: the signs of strain that can be seen from inside. */
export interface DatabaseCounters {
  /** SQLite's busy errors by code, those that a wait settled included. */
  busyByCode: Record<string, number>
  /** Waits for the write lock (SQLite), or for a pooled connection and BEGIN (Postgres); those of no time included. */
  waits: Durations
  /** Times for which the write lock was held (SQLite). */
  writes: Durations
  /** Interactive transactions. */
  transactions: Durations
  /** Operations of the client, each from when it is asked to when it is answered: waits included. */
  operations: Durations
  /** Operations that failed, by code: `P2002`, `OUTGROW_…`, or the name of the error where it has none. */
  errorsByCode: Record<string, number>
  /** Pooled connections now (Postgres). */
  pool: PoolCounts | null
  /** What the replicas did, where there are any. */
  replicas?: ReplicaCounters
}

export interface PoolCounts {
  /** The most that the pool opens. */
  readonly limit: number
  readonly open: number
  readonly idle: number
  /** Callers that wait for one. */
  readonly waiting: number
}

/** Slots of a histogram: under 1 ms up to under 2^16 ms, and longer. */
const slots = 18

/** Where each slot but the last ends, in ms. */
export const slotEndsMs: readonly number[] = Array.from({ length: slots - 1 }, (_, slot) => 2 ** slot)

/** More codes than any application has: what comes after them is counted together. */
const maxCodes = 100

export function emptyDurations(): Durations {
  return { count: 0, totalMs: 0, longestMs: 0, buckets: Array.from({ length: slots }, () => 0) }
}

export function emptyCounters(): DatabaseCounters {
  return {
    busyByCode: {},
    waits: emptyDurations(),
    writes: emptyDurations(),
    transactions: emptyDurations(),
    operations: emptyDurations(),
    errorsByCode: {},
    pool: null,
  }
}

export function countTime(durations: Durations, ms: number): void {
  durations.count++
  durations.totalMs += ms
  durations.longestMs = Math.max(durations.longestMs, ms)
  const slot = ms < 1 ? 0 : Math.min(slots - 1, Math.floor(Math.log2(ms)) + 1)
  durations.buckets[slot] = (durations.buckets[slot] ?? 0) + 1
}

/** Counts a failed operation by the code of its error, which is the product's, Prisma's or the driver's own. */
export function countError(errorsByCode: Record<string, number>, error: unknown): void {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  const isCode = (one: unknown): one is string => typeof one === 'string' && /^\w{1,60}$/.test(one)
  const named = isCode(code) ? code : isCode(name) ? name : 'unknown'
  const isRoom = Object.hasOwn(errorsByCode, named) || Object.keys(errorsByCode).length < maxCodes
  const key = isRoom ? named : 'other'
  errorsByCode[key] = (errorsByCode[key] ?? 0) + 1
}

/**
 * The time in ms below which a share of the durations lies, taken as evenly spread within the slot that it falls into,
 * and never more than the longest.
 * Undefined when there are none.
 */
export function quantileMs(
  { buckets, longestMs }: Pick<Durations, 'buckets' | 'longestMs'>,
  share: number,
): number | undefined {
  const wanted = buckets.reduce((sum, count) => sum + count, 0) * share
  let seen = 0
  for (const [slot, count] of buckets.entries()) {
    if (count > 0 && seen + count >= wanted) {
      if (slot === slots - 1) return longestMs
      const from = slot === 0 ? 0 : 2 ** (slot - 1)
      return Math.min(longestMs, from + ((2 ** slot - from) * (wanted - seen)) / count)
    }
    seen += count
  }
  return undefined
}
