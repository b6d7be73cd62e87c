import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@outgrow/kit'
import type { Terminal } from 'outgrow/output/terminal'

const root = resolve(import.meta.dirname, '../..')
const startMs = 60_000
/** What is under way is finished within this time, then the process is ended. */
const stopMs = 20_000

export interface AppOptions {
  name: 'web' | 'worker' | 'console'
  /** Built, or from its source. */
  form: 'built' | 'source'
  env: Record<string, string>
  terminal: Terminal
}

/** One running app. Its lines are printed with its name before them. */
export class AppProcess {
  readonly #child: ChildProcess
  readonly #name: string
  readonly ended: Promise<void>

  constructor({ name, form, env, terminal }: AppOptions) {
    this.#name = name
    const directory = join(root, 'apps', name)
    const command =
      form === 'built' ? ['dist/main.js'] : ['--import', import.meta.resolve('tsx'), 'src/main.ts']
    this.#child = spawn(process.execPath, command, {
      cwd: directory,
      env: { ...process.env, ...env },
      // The channel tells an app when this process is gone, however it ended.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches the command alone, which then stops each app in its turn.
      detached: true,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream)
        createInterface({ input: stream }).on('line', (line) => terminal.line(`${name.padEnd(8)}${line}`))
    }
    this.ended = this.#end()
  }

  async #end(): Promise<void> {
    await once(this.#child, 'exit')
  }

  /** Waits until an address answers. */
  async isReady(url: string, signal: AbortSignal): Promise<void> {
    const until = performance.now() + startMs
    while (this.#child.exitCode === null && this.#child.signalCode === null && performance.now() < until) {
      signal.throwIfAborted()
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) }).catch(
        () => undefined,
      )
      if (answer !== undefined && answer.status < 500) return
      await sleep(100)
    }
    throw new Failure({
      code: 'OUTGROW_APP_ENDED',
      message: `The ${this.#name} did not start.`,
      fix: 'Its output shows why; usually a port is in use or a variable is missing.',
    })
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGTERM')
    const late = new AbortController()
    await Promise.race([this.ended, sleep(stopMs, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
  }
}
