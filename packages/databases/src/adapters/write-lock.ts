/** A first-come lock within one process. */
export class WriteLock {
  #last: Promise<void> = Promise.resolve()

  /** Waits for the lock; the returned function gives it back and may be called twice. */
  async acquire(): Promise<() => void> {
    const before = this.#last
    let release!: () => void
    this.#last = new Promise<void>((resolve) => {
      release = resolve
    })
    await before
    return release
  }
}
