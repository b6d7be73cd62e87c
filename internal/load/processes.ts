import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Scratch } from './scratch.ts'

/** Children end by themselves, some time after a parent that is stuck should have ended them. */
const spareSeconds = 300

/** The processes of a load; leaving the block ends those that still run. */
export class LoadProcesses implements AsyncDisposable {
  readonly #scratch: Scratch
  readonly #seconds: number
  readonly #children: ChildProcess[] = []
  #isOver = false
  /** The first of them that ended by itself, with a failure. */
  #failed: string | undefined

  constructor(scratch: Scratch, seconds: number) {
    this.#scratch = scratch
    this.#seconds = seconds
  }

  start(role: string, env: Record<string, string> = {}): ChildProcess {
    const { path, directory } = this.#scratch
    const child = fork(
      join(import.meta.dirname, 'child.ts'),
      [role, `file:${path}`, directory, String(this.#seconds + spareSeconds)],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    )
    this.#children.push(child)
    child.once('exit', (code) => {
      if (code !== 0 && !this.#isOver) this.#failed ??= role
    })
    return child
  }

  /** @throws when a process of the load ended with a failure: what was measured would say nothing */
  check(): void {
    if (this.#failed !== undefined) throw new Error(`a ${this.#failed} process of the load failed`)
  }

  /** What a process says first. */
  firstWord(child: ChildProcess, role: string): Promise<string> {
    return this.#heard(child, role)
  }

  /** Resolves when a process has told that it is under way. */
  async begun(child: ChildProcess, role: string): Promise<void> {
    while ((await this.#heard(child, role)) !== 'begun');
  }

  async #heard(child: ChildProcess, role: string): Promise<string> {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the ${role} ended with ${String(code)} before it was ready`)
    })
    ended.catch(() => {})
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [string]
    return message
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
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
