import { setTimeout as sleep } from 'node:timers/promises'
import { countTime, emptyDurations, type SqliteDatabase } from '@outgrow/databases'
import type { OutsideSample } from '../samples.ts'

export interface CanaryOptions {
  /** How long it goes on. */
  windowMs: number
  /** Mean pause between two looks: each takes the lock for microseconds. */
  pauseMs?: number
  signal?: AbortSignal | undefined
}

/**
 * Asks for the write lock again and again, at random moments, and gives it back at once. How often it was taken is how
 * much of the time somebody writes; how long it took to come free is what a writer waits. Writes nothing.
 * @param database a connection that does not wait for locks
 */
export async function runCanary(
  database: SqliteDatabase,
  options: CanaryOptions,
): Promise<NonNullable<OutsideSample['lock']>> {
  const { windowMs, pauseMs = 20, signal } = options
  const waits = emptyDurations()
  const started = performance.now()
  // Exponential pauses meet the lock as it is over time, however regular its users are.
  const pause = () => Math.min(10, -Math.log(1 - Math.random())) * pauseMs
  let next = started + pause()
  let busy = 0
  /** When those asked that still wait: others may come while one waits, as they would in the application. */
  let waiting: number[] = []
  for (let now = started; ; now = performance.now()) {
    const isOver = now >= started + windowMs
    // Those that still wait at the end are waited for, but not for ever.
    if (signal?.aborted || (isOver && (waiting.length === 0 || now >= started + windowMs + 1000))) break
    const came: number[] = []
    const until = isOver ? -Infinity : now
    for (; next <= until; next += pause()) came.push(next)
    if (came.length > 0 || waiting.length > 0) {
      const isFree = takesLock(database)
      waiting.push(...came)
      if (isFree) {
        for (const asked of waiting) countTime(waits, came.includes(asked) ? 0 : now - asked)
        waiting = []
      } else busy += came.length
    }
    await sleep(waiting.length > 0 ? 1 : Math.max(1, next - performance.now()))
  }
  for (const asked of waiting) countTime(waits, performance.now() - asked)
  return { probes: waits.count, busy, waits: { buckets: waits.buckets, longestMs: waits.longestMs } }
}

function takesLock(database: SqliteDatabase): boolean {
  try {
    // In one call: were it two, a writer could meet the lock while this process waits for its turn.
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return true
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return false
    throw error
  }
}
