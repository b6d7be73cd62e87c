import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Order, Report } from './child.ts'
import type { Variant } from './variants.ts'

/** What came of a thing that the application was asked for. */
export type Answer = { value?: string; failure?: string; bug?: string; died?: true }

type OneOf<Union, Name extends string> = Union extends Record<Name, unknown> ? Union : never

/** One place at which a process runs: when it dies, another takes its place, with the same clock. */
export class Place {
  readonly #script: string
  readonly #env: NodeJS.ProcessEnv
  readonly #onDeath: (by: string) => void
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #heard = new Set<(report: Report) => void>()
  #child: ChildProcess
  /** With the process that runs here now. */
  #ended: Promise<unknown> = Promise.resolve()
  #variant: Variant
  #clockMs = 0
  #callsPerSecond = Infinity
  #asked = 0
  #by = ''
  #isClosed = false
  #ready: Promise<unknown> = Promise.resolve()

  /** @param onDeath hears what each process died by: a point, `kill`, or how it ended by itself */
  constructor(script: string, variant: Variant, env: NodeJS.ProcessEnv, onDeath: (by: string) => void) {
    this.#script = join(import.meta.dirname, script)
    this.#env = env
    this.#variant = variant
    this.#onDeath = onDeath
    this.#child = this.#start()
  }

  /** Until it can be asked for something. */
  get ready(): Promise<unknown> {
    return this.#ready
  }

  /** Lets another variant run here from now on. */
  async use(variant: Variant): Promise<void> {
    await this.#ready
    if (variant === this.#variant) return
    this.#variant = variant
    this.#ready = this.#hear('ready')
    this.tell({ use: variant })
    await this.#ready
  }

  /** How often a worker here may call each endpoint of Stripe in a second. */
  async budget(callsPerSecond: number): Promise<void> {
    await this.#ready
    this.#callsPerSecond = callsPerSecond
    this.#ready = this.#hear('ready')
    this.tell({ callsPerSecond: Number.isFinite(callsPerSecond) ? callsPerSecond : null })
    await this.#ready
  }

  tell(order: Order): void {
    if ('clockMs' in order) this.#clockMs = order.clockMs
    if (this.#child.connected) this.#child.send(order, () => {}) // one that is dying hears nothing
  }

  /** Has nothing taken here any more, or taken again. */
  async hold(held: boolean): Promise<void> {
    await this.#ready
    const done = this.#hear('held')
    this.tell({ hold: held })
    await Promise.race([done, this.#ended])
  }

  /** Asks the application for something. */
  async ask(action: string, accountId: string, argument = ''): Promise<Answer> {
    await this.#ready
    const ask = ++this.#asked
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(ask, resolve))
    this.tell({ ask, action, accountId, argument })
    return answered
  }

  /** Ends the process at once, wherever it is. */
  kill(by: string): void {
    this.#by = by
    this.#child.kill('SIGKILL')
  }

  /** Has the process finish what it has under way, and starts another. */
  async restart(): Promise<void> {
    await this.#ready
    this.#by = 'nothing'
    this.#child.kill('SIGTERM')
    await this.#ended
    await this.#ready
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    this.kill('nothing')
    await this.#ended
  }

  #hear<Name extends 'ready' | 'held'>(name: Name): Promise<OneOf<Report, Name>> {
    return new Promise((resolve) => {
      const hear = (report: Report) => {
        if (!(name in report)) return
        this.#heard.delete(hear)
        resolve(report as OneOf<Report, Name>)
      }
      this.#heard.add(hear)
    })
  }

  #start(): ChildProcess {
    const child = fork(this.#script, [this.#variant], {
      env: { ...this.#env, CHAOS_CALLS_PER_SECOND: String(this.#callsPerSecond) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#ready = this.#hear('ready').then(() => this.tell({ clockMs: this.#clockMs }))
    this.#ended = once(child, 'exit')
    child.on('message', (report: Report) => {
      if ('dies' in report) this.#by = report.dies
      else if ('answer' in report) {
        const { answer: ask, ...answer } = report
        this.#waiting.get(ask)?.(answer)
        this.#waiting.delete(ask)
      } else for (const hear of this.#heard) hear(report)
    })
    child.once('exit', (code, signal) => {
      for (const resolve of this.#waiting.values()) resolve({ died: true })
      this.#waiting.clear()
      if (this.#isClosed) return
      const isAsked = signal === 'SIGKILL' || (code === 0 && this.#by === 'nothing')
      const by = isAsked ? this.#by : `itself (${code ?? signal})`
      this.#by = ''
      if (by !== '' && by !== 'nothing') this.#onDeath(by)
      this.#child = this.#start()
    })
    return child
  }
}
