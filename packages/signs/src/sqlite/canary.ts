import { setTimeout as sleep } from 'node:timers/promises'
import { countTime, emptyDurations, openSqliteForLock, type SqliteDatabase } from '@outgrow/databases'
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
 */
export async function runCanary(
  path: string,
  options: CanaryOptions,
): Promise<NonNullable<OutsideSample['lock']>> {
  const { windowMs, pauseMs = 20, signal } = options
  const database = openSqliteForLock(path, 0)
  const waits = emptyDurations()
  let busy = 0
  const ends = performance.now() + windowMs
  try {
    database.pragma('wal_autocheckpoint = 0')
    do {
      const asked = performance.now()
      let isFree = takesLock(database)
      if (!isFree) busy++
      while (!isFree && performance.now() < ends + 1000 && signal?.aborted !== true) {
        await sleep(1)
        isFree = takesLock(database)
      }
      countTime(waits, performance.now() - asked)
      // Exponential pauses meet the lock as it is over time, however regular its users are.
      await sleep(Math.min(5 * pauseMs, -Math.log(1 - Math.random()) * pauseMs))
    } while (performance.now() < ends && signal?.aborted !== true)
  } finally {
    database.close()
  }
  return { probes: waits.count, busy, waits: { buckets: waits.buckets, longestMs: waits.longestMs } }
}

function takesLock(database: SqliteDatabase): boolean {
  try {
    database.exec('BEGIN IMMEDIATE')
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return false
    throw error
  }
  database.exec('ROLLBACK')
  return true
}
