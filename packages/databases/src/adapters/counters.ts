/** What a database has met since it was opened: the signs of strain that can be seen from inside. */
export interface DatabaseCounters {
  /** SQLite's busy errors by code, those that a wait settled included. */
  busyByCode: Record<string, number>
  /** Waits for the write lock (SQLite) or a pooled connection (Postgres). */
  waits: { count: number; totalMs: number; longestMs: number }
  transactions: { count: number; totalMs: number; longestMs: number }
}

export function emptyCounters(): DatabaseCounters {
  return {
    busyByCode: {},
    waits: { count: 0, totalMs: 0, longestMs: 0 },
    transactions: { count: 0, totalMs: 0, longestMs: 0 },
  }
}

export function countTime(counter: DatabaseCounters['waits'], ms: number): void {
  counter.count++
  counter.totalMs += ms
  counter.longestMs = Math.max(counter.longestMs, ms)
}
