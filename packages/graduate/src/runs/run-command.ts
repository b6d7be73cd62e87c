import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What became of a command of the user's. */
export interface CommandRun {
  command: string
  /** Undefined where it has not ended in time. */
  code: number | null | undefined
  ms: number
}

/**
 * Runs a command line in a shell, for at most so long; then it is told to end. It sees the environment and what is given
 * beyond that; no secret is an argument of it.
 */
export async function runCommandLine(
  command: string,
  { deadlineMs, env }: { deadlineMs: number; env: Record<string, string> },
): Promise<CommandRun> {
  const started = performance.now()
  const child = spawn(command, {
    shell: true,
    stdio: ['ignore', 2, 2], // stdout may be one JSON document, and nothing else
    env: { ...process.env, ...env },
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGTERM')
  }, deadlineMs)
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return { command, code: isLate ? undefined : code, ms: performance.now() - started }
  } finally {
    clearTimeout(timer)
  }
}
