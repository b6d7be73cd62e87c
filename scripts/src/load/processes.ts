import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Scratch } from './scratch.ts'

/** The processes of a load; leaving the block ends those that still run. */
export class LoadProcesses implements AsyncDisposable {
  readonly #scratch: Scratch
  readonly #seconds: number
  readonly #children: ChildProcess[] = []

  constructor(scratch: Scratch, seconds: number) {
    this.#scratch = scratch
    this.#seconds = seconds
  }

  start(role: string, env: Record<string, string> = {}): ChildProcess {
    const { path, directory } = this.#scratch
    const child = fork(
      join(import.meta.dirname, 'child.ts'),
      [role, `file:${path}`, directory, String(this.#seconds)],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    )
    this.#children.push(child)
    return child
  }

  /** What a process says first. */
  async startAndHear(role: string): Promise<string> {
    const child = this.start(role)
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the ${role} ended with ${String(code)} before it was ready`)
    })
    ended.catch(() => {})
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [string]
    return message
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }),
    )
  }
}
