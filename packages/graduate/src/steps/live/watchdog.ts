import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A process that ends this one when it holds the application's writes for too long. */
export class Watchdog implements Disposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<Watchdog> {
    const child = fork(new URL(import.meta.resolve('@outgrow/graduate/watchdog-process')), {
      stdio: 'ignore',
      // In a group of its own: what stops this process in a terminal must not stop it too.
      detached: true,
      // What this process is started with, such as a debugger, is not for the other.
      execArgv: [],
    })
    child.unref()
    await once(child, 'spawn')
    return new Watchdog(child)
  }

  /** From now on writes are held, for at most so long. */
  holds(ms: number): void {
    if (this.#child.connected) this.#child.send(ms)
  }

  /** They are not held any more. */
  released(): void {
    if (this.#child.connected) this.#child.send(0)
  }

  [Symbol.dispose](): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}
