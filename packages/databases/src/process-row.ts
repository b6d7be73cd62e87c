import { hostname } from 'node:os'
import { sep } from 'node:path'
import { randomUUID } from 'node:crypto'
import { openUnobtrusive } from './authority-watch.ts'
import type { ApplicationProcess } from './authority.ts'
import type { SqliteDatabase } from './sqlite.ts'

/** How a process stands to a graduation. */
export type ProcessState = Pick<ApplicationProcess, 'reaches' | 'problem' | 'epoch'>

/** The script with the folders that tell it from others: `web/dist/main.js`. */
function scriptName(): string {
  return (process.argv[1] ?? 'node').split(sep).slice(-3).join('/')
}

/** A process' own row in `_outgrow_process`. Nothing here throws or waits: who did not get to write writes the next time. */
export class ProcessRow implements Disposable {
  readonly id = randomUUID()
  readonly #path: string
  readonly #startedAt = new Date().toISOString()
  #database: SqliteDatabase | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Whether it was written: false while somebody else writes, or when the table is gone. */
  write({ reaches, problem, epoch }: ProcessState): boolean {
    const now = new Date().toISOString()
    const name = scriptName()
    return this.#attempt((database) =>
      database
        .prepare(
          `INSERT INTO main._outgrow_process (id, pid, host, name, started_at, seen_at, reaches, problem, epoch)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET
               seen_at = excluded.seen_at, reaches = excluded.reaches, problem = excluded.problem, epoch = excluded.epoch`,
        )
        .run(
          this.id,
          process.pid,
          hostname(),
          name,
          this.#startedAt,
          now,
          reaches === null ? null : Number(reaches),
          problem,
          epoch,
        ),
    )
  }

  /** Whether it is gone. */
  remove(): boolean {
    return this.#attempt((database) =>
      database.prepare('DELETE FROM main._outgrow_process WHERE id = ?').run(this.id),
    )
  }

  /** Closes the connection; the row stays. */
  [Symbol.dispose](): void {
    this.#database?.close()
    this.#database = undefined
  }

  #attempt(use: (database: SqliteDatabase) => void): boolean {
    try {
      this.#database ??= openUnobtrusive(this.#path)
      use(this.#database)
      return true
    } catch {
      return false
    }
  }
}
