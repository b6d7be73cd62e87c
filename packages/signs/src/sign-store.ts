import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, type SqliteDatabase } from '@outgrow/databases'
import type { Sample } from './samples.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Samples stay dense for this long, then one in ten minutes is kept. */
const denseMs = dayMs
const keptMs = 60 * dayMs

/**
 * Keeps samples in a small SQLite file of its own, so that measuring never writes to the database that is measured.
 * Any number of processes may write to it.
 */
export class SignStore implements Disposable {
  readonly #file: SqliteDatabase
  #prunedAt = 0

  /** @param directory is made where it is missing; the file in it is `signs.db` */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true })
    this.#file = openSqlite(join(directory, 'signs.db'))
    this.#file.pragma('synchronous = NORMAL')
    this.#file.exec(`CREATE TABLE IF NOT EXISTS samples (
      database TEXT NOT NULL, at INTEGER NOT NULL, process TEXT NOT NULL, run TEXT NOT NULL, "values" TEXT NOT NULL,
      PRIMARY KEY (database, at, run)
    ) WITHOUT ROWID`)
  }

  add(database: string, { at, process, run, values }: Sample): void {
    this.#file
      .prepare('INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?)')
      .run(database, at, process, run, JSON.stringify(values))
    if (at - this.#prunedAt < hourMs) return
    this.#prunedAt = at
    this.#prune(at)
  }

  /** The samples of a database since a time, the oldest first. */
  since(database: string, at: number): Sample[] {
    type Row = { at: number; process: string; run: string; values: string }
    const rows = this.#file
      .prepare('SELECT at, process, run, "values" FROM samples WHERE database = ? AND at >= ? ORDER BY at')
      .all(database, at) as Row[]
    return rows.map((row) => ({
      ...row,
      values: JSON.parse(row.values) as Sample['values'],
    }))
  }

  #prune(now: number): void {
    this.#file
      .prepare(
        `DELETE FROM samples WHERE at < ? OR (at < ? AND (database, at, run) NOT IN (
           SELECT database, min(at), run FROM samples WHERE at < ? GROUP BY database, run, at / 600000))`,
      )
      .run(now - keptMs, now - denseMs, now - denseMs)
  }

  [Symbol.dispose](): void {
    this.#file.close()
  }
}
