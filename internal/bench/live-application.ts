import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { WriterGaps } from './live-writer.ts'

export interface Application extends AsyncDisposable {
  /** What each process has met so far. */
  gaps(): Promise<WriterGaps[]>
}

/** Starts the processes of an application that writes at a pace, and waits until they do. */
export async function startApplication(
  file: string,
  { writers, rate, postgresUrl }: { writers: number; rate: number; postgresUrl: string },
): Promise<Application> {
  const children: ChildProcess[] = Array.from({ length: writers }, (_, number) =>
    fork(join(import.meta.dirname, 'live-writer.ts'), [file, String(number), String(rate)], {
      env: { ...process.env, POSTGRES_URL: postgresUrl },
    }),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const ended = children.map((child) =>
    once(child, 'exit').then(([code]) => {
      throw new Error(`a writer ended with ${String(code)}`)
    }),
  )
  for (const one of ended) one.catch(() => {}) // awaited where it is asked for its gaps
  return {
    gaps: () =>
      Promise.all(
        children.map(async (child, at) => {
          const answer = once(child, 'message')
          child.send('gaps')
          const [told] = (await Promise.race([answer, ended[at]])) as [WriterGaps]
          return told
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const end = once(child, 'exit')
          child.kill('SIGKILL')
          await end
        }),
      )
    },
  }
}
