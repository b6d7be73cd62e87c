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
  readonly #options: AppOptions
  #child: ChildProcess
  #isReady = false
  #restarts: Promise<void> = Promise.resolve()
  /** A restart has yet to begin. */
  #isRestarting = false
  #isStopping = false
  readonly #ended = Promise.withResolvers<void>()
  /** Resolves when the app ends by itself; one from its source may also wait for a change then. */
  readonly ended = this.#ended.promise

  constructor(options: AppOptions) {
    this.#options = options
    this.#child = this.#start()
  }

  #start(): ChildProcess {
    const { name, form, env, terminal } = this.#options
    const command =
      form === 'built' ? ['dist/main.js'] : ['--import', import.meta.resolve('tsx'), 'src/main.ts']
    const child = spawn(process.execPath, command, {
      cwd: join(root, 'apps', name),
      env: { ...process.env, ...env },
      // The channel tells an app when this process is gone, however it ended.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches the command alone, which then stops each app in its turn.
      detached: true,
    })
    for (const stream of [child.stdout, child.stderr]) {
      if (stream)
        createInterface({ input: stream }).on('line', (line) => terminal.line(`${name.padEnd(8)}${line}`))
    }
    child.once('exit', () => this.#onExit(child))
    child.once('error', (error) => terminal.line(`${name.padEnd(8)}${error.message}`))
    return child
  }

  #onExit(child: ChildProcess): void {
    const { name, form, terminal } = this.#options
    if (this.#isStopping || child !== this.#child || child.killed) return
    // Half a sentence was saved: whoever develops goes on typing.
    if (form === 'source' && this.#isReady)
      terminal.line(`${name.padEnd(8)}ended. It starts again when a file changes.`)
    else this.#ended.resolve()
  }

  /** Starts it again from its sources as they are now. */
  restart(): void {
    if (this.#isRestarting) return // which will see this change too
    this.#isRestarting = true
    this.#restarts = this.#restartAfter(this.#restarts)
  }

  async #restartAfter(others: Promise<void>): Promise<void> {
    const { name, terminal } = this.#options
    await others
    if (!this.#isStopping) await this.#end()
    this.#isRestarting = false
    if (this.#isStopping) return
    terminal.line(`${name.padEnd(8)}restarts: a file has changed.`)
    this.#child = this.#start()
  }

  /** Waits until an address answers. */
  async isReady(url: string, signal: AbortSignal): Promise<void> {
    const until = performance.now() + startMs
    while ((this.#isRunning || this.#isRestarting) && performance.now() < until) {
      signal.throwIfAborted()
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) }).catch(
        () => undefined,
      )
      if (answer !== undefined && answer.status < 500) {
        this.#isReady = true
        return
      }
      await sleep(100)
    }
    throw new Failure({
      code: 'OUTGROW_APP_ENDED',
      message: `The ${this.#options.name} did not start.`,
      fix: 'Its output shows why; usually a port is in use or a variable is missing.',
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#restarts
    await this.#end()
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async #end(): Promise<void> {
    if (!this.#isRunning) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const late = new AbortController()
    await Promise.race([exited, sleep(stopMs, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    if (this.#isRunning) this.#child.kill('SIGKILL')
  }
}
