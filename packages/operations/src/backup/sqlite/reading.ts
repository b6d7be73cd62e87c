import type { CopyContents } from './read-copy.ts'
import { readInThread } from './read-in-thread.ts'

/** A file that is read while something else is done with it; it ends with the block that it is used in. */
export class Reading {
  readonly contents: Promise<CopyContents>
  /** Is told how many bytes were read. */
  onBytes: (done: number) => void = () => {}
  readonly #end = new AbortController()

  constructor(path: string, signal: AbortSignal) {
    let done = 0
    const either = AbortSignal.any([signal, this.#end.signal])
    this.contents = readInThread(path, either, (bytes) => this.onBytes((done += bytes)))
    this.contents.catch(() => {}) // whoever wants the contents is told
  }

  [Symbol.dispose](): void {
    this.#end.abort()
  }
}
