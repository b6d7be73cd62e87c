import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { variantOptions } from './variants.ts'
import type { ProcessRequest } from './follow-authority.ts'

/** A process of the application, which is started again when it was killed. */
export class ApplicationProcess {
  readonly request: ProcessRequest
  readonly #script: string
  #child: ChildProcess
  kills = 0
  /** What it printed. */
  output = ''

  constructor(script: 'writer.ts' | 'reader.ts', request: ProcessRequest) {
    this.#script = join(import.meta.dirname, script)
    this.request = request
    this.#child = this.#start()
  }

  #start(): ChildProcess {
    const child = fork(this.#script, [JSON.stringify(this.request)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...variantOptions(this.request.variant),
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes) => (this.output += String(bytes)))
    return child
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
    this.kills++
    this.#child = this.#start()
  }

  /** Asks it to end after what it is doing. Returns whether it did. */
  async stop(withinMs: number): Promise<boolean> {
    if (this.hasEnded) return true
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      this.#child.kill('SIGKILL')
    }, withinMs)
    await ended
    clearTimeout(late)
    return !isLate
  }
}
