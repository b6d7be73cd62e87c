import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteForLock, readAuthority, type Authority, type SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/**
 * The application's file, while it graduates: one connection reads consistent states of it, another takes its write lock
 * for short moments. Neither ever checkpoints: that is left to the application.
 */
export class LiveFile implements Disposable {
  readonly path: string
  readonly reader: SqliteDatabase
  readonly writer: SqliteDatabase

  constructor(path: string) {
    this.path = path
    this.reader = openSqliteForLock(path)
    this.writer = openSqliteForLock(path, 0)
    for (const database of [this.reader, this.writer]) {
      database.pragma('wal_autocheckpoint = 0')
      database.pragma('temp_store = MEMORY')
      database.pragma('foreign_keys = OFF')
    }
    // It cannot be set inside a transaction, and a switch must outlast the machine.
    this.writer.pragma('synchronous = FULL')
  }

  get authority(): Authority | undefined {
    return readAuthority(this.writer)
  }

  get schemaVersion(): number {
    return this.writer.pragma('schema_version', { simple: true }) as number
  }

  /** Runs `work` in one read transaction. */
  async reading<Result>(work: () => Promise<Result>): Promise<Result> {
    this.reader.exec('BEGIN')
    try {
      return await work()
    } finally {
      if (this.reader.inTransaction) this.reader.exec('ROLLBACK')
    }
  }

  /**
   * Takes the write lock. It asks again and again rather than wait in the driver, where others would be quicker.
   * @param withinMs how long it tries
   * @throws Failure OUTGROW_SOURCE_BUSY
   */
  async lock(withinMs: number, signal?: AbortSignal): Promise<void> {
    if (!(await this.tryLock(withinMs, signal))) throw this.#busy(withinMs)
  }

  /** The same, and whether it was free in time. */
  async tryLock(withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const until = performance.now() + withinMs
    for (;;) {
      signal?.throwIfAborted()
      try {
        this.writer.exec('BEGIN IMMEDIATE')
        return true
      } catch (cause) {
        const { code = '' } = cause as { code?: string }
        if (!code.startsWith('SQLITE_BUSY')) throw cause
        if (performance.now() > until) return false
      }
      await sleep(0.5)
    }
  }

  /** Gives it back, with everything that was done under it taken back. */
  unlock(): void {
    if (this.writer.inTransaction) this.writer.exec('ROLLBACK')
  }

  /** Runs `work` while nobody else can write, and changes nothing. */
  async whileQuiet<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.lock(10_000)
    try {
      return await work()
    } finally {
      this.unlock()
    }
  }

  /** Runs `work` in a short write transaction of its own. */
  async write<Result>(work: (database: SqliteDatabase) => Result, signal?: AbortSignal): Promise<Result> {
    await this.lock(10_000, signal)
    return this.writeLocked(work)
  }

  /**
   * Runs `work`, which takes the write lock by itself: the driver waits for it.
   * @throws Failure OUTGROW_SOURCE_BUSY
   */
  waiting<Result>(work: () => Result, withinMs = 10_000): Result {
    this.writer.pragma(`busy_timeout = ${withinMs}`)
    try {
      return work()
    } catch (cause) {
      const { code = '' } = cause as { code?: string }
      throw code.startsWith('SQLITE_BUSY') ? this.#busy(withinMs) : cause
    } finally {
      this.writer.pragma('busy_timeout = 0')
    }
  }

  /** The same, once the lock was taken. */
  writeLocked<Result>(work: (database: SqliteDatabase) => Result): Result {
    try {
      const result = work(this.writer)
      this.writer.exec('COMMIT')
      return result
    } catch (error) {
      this.unlock()
      throw error
    }
  }

  #busy(withinMs: number): Failure {
    return new Failure({
      code: 'OUTGROW_SOURCE_BUSY',
      message: `The write lock on ${this.path} was not free for ${Math.round(withinMs)} ms.`,
      why: 'A transaction of the application holds it.',
      fix: 'Try again; if it stays so, look for a transaction that is open for long.',
    })
  }

  [Symbol.dispose](): void {
    this.unlock()
    this.reader.close()
    this.writer.close()
  }
}
