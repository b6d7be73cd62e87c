import { exit } from '@outgrow/kit'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs work with a signal that Ctrl-C aborts, so that it can put away what it has started. */
export async function stoppable(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => stop.abort(new Error('stopped'))
  for (const name of signals) process.on(name, onSignal)
  try {
    await work(stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.stdout.write('Stopped; the server and its folder are removed.\n')
    process.exitCode = exit.stopped
  } finally {
    for (const name of signals) process.off(name, onSignal)
  }
}
