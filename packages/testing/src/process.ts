import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Milliseconds after which a process that was asked to stop is ended. */
const stopMs = 25_000

/** Ends a process with the block it is used in, whatever happens there: as Ctrl-C would, and for good when it does not. */
export function ending(child: ChildProcess): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
      await ended
      clearTimeout(late)
    },
  }
}
