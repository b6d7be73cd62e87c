import { randomUUID } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { DatabaseCounters } from '@outgrow/databases'
import { identityOf } from './identity.ts'
import { SignStore } from './sign-store.ts'

export interface RecordOptions {
  url: string
  /** The facade's: `database.counters`. */
  counters: () => DatabaseCounters
  /** Where `signs.db` is. */
  directory: string
  /** The name of this process among those of the application. */
  process: string
  everyMs?: number
}

/** Writes what the facade counts, and the event loop's delay, into the store, until `stop`. */
export function recordSigns(options: RecordOptions): { stop(): Promise<void> } {
  const { url, counters, directory, process, everyMs = 5000 } = options
  const store = new SignStore(directory)
  const database = identityOf(url)
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
    try {
      store.add(database, {
        at: Date.now(),
        process,
        run,
        values: { kind: 'inside', ...counters(), eventLoop },
      })
    } catch {
      // Measuring must never end what is measured: a full disk shows elsewhere.
    }
  }
  const timer = setInterval(write, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      write()
      delay.disable()
      store[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}
