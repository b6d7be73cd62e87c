import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessRow } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/** The row says that the process is alive at least this often. */
const beatEveryMs = 3000

/** What a process says of itself while its application graduates, kept fresh in `_outgrow_process`. */
export class Registration {
  readonly #row: ProcessRow
  readonly #ask: { epoch: () => number; warm: () => Promise<void> }
  #reaches: boolean | null = null
  #problem: string | null = null
  #written = -Infinity
  #isWarming = false
  #isClosed = false

  /** @param ask `warm` throws where the other database cannot be reached */
  constructor(path: string, ask: { epoch: () => number; warm: () => Promise<void> }) {
    this.#row = new ProcessRow(path)
    this.#ask = ask
  }

  /** Called often: writes and warms when it is time to. */
  beat({ now = false } = {}): void {
    if (this.#isClosed || (!now && performance.now() - this.#written < beatEveryMs)) return
    this.#write()
    if (this.#isWarming) return
    this.#isWarming = true
    void this.#warm().finally(() => (this.#isWarming = false))
  }

  /** Takes the row away. Gives up where others keep writing: the row then shows when the process was last seen. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (let attempt = 0; attempt < 20 && !this.#row.remove(); attempt++) await sleep(5 + attempt)
    this.#row[Symbol.dispose]()
  }

  async #warm(): Promise<void> {
    const [reaches, problem] = await this.#ask.warm().then(
      () => [true, null] as const,
      (error: unknown) => [false, problemOf(error)] as const,
    )
    if (this.#isClosed || (reaches === this.#reaches && problem === this.#problem)) return
    this.#reaches = reaches
    this.#problem = problem
    this.#write()
  }

  #write(): void {
    const state = { reaches: this.#reaches, problem: this.#problem, epoch: this.#ask.epoch() }
    this.#written = this.#row.write(state) ? performance.now() : -Infinity
  }
}

/** The text of a failure is the product's own, and holds no secret; of anything else only the code is given. */
function problemOf(error: unknown): string {
  if (error instanceof Failure) return `${error.code}: ${error.message}`
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return `Postgres cannot be used: ${String(code ?? name)}`
}
