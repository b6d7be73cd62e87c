import { randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { DatabaseCounters } from '@outgrow/databases'
import { identityOf } from './identity.ts'
import { SignStore } from './sign-store.ts'

export interface RecordOptions {
  /** Of the database of now: `() => database.url` follows an application that graduates while it runs. */
  url: string | (() => string)
  /** The facade's: `database.counters`. */
  counters: () => DatabaseCounters
  /** Where `signs.db` is. */
  directory: string
  /** The name of this process among those of the application. */
  process: string
  everyMs?: number
  /** Hears once why nothing can be recorded. */
  onError?: (error: unknown) => void
}

/**
 * Writes what the facade counts, and the event loop's delay, into the store, until `stop`. Never throws: measuring must
 * not end what is measured.
 */
export function recordSigns(options: RecordOptions): { stop(): void } {
  const { url, counters, directory, process, everyMs = 5000, onError } = options
  let isTold = false
  const attempt = <Result>(work: () => Result): Result | undefined => {
    try {
      return work()
    } catch (error) {
      if (!isTold) onError?.(error)
      isTold = true
      return undefined
    }
  }
  const store = attempt(() => new SignStore(directory))
  if (!store) return { stop: () => {} }
  const databaseNow = typeof url === 'string' ? () => url : url
  const run = randomUUID()
  const resolutionMs = 10
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  // The histogram counts the timer's own interval too.
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs)
  const write = () => {
    const eventLoop = {
      p50Ms: ms(delay.percentile(50)),
      p99Ms: ms(delay.percentile(99)),
      longestMs: ms(delay.max),
    }
    delay.reset()
    attempt(() =>
      store.add(identityOf(databaseNow()), {
        at: Date.now(),
        process,
        run,
        values: { kind: 'inside', ...counters(), eventLoop },
      }),
    )
  }
  const timer = setInterval(write, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      write()
      delay.disable()
      store[Symbol.dispose]()
    },
  }
}
