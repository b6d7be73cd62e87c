import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, type SqliteDatabase } from '@outgrow/databases'
import type { Sample } from './samples.ts'
import type { Size } from './sqlite/growth.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Samples are kept for a day, and one in ten minutes for two months. */
const denseMs = dayMs
const sparseMs = 60 * dayMs
const sparseEveryMs = 10 * minuteMs
/** Whoever counts must not wait: a sample that finds the store busy for longer is lost. */
const busyMs = 50

interface Row {
  at: number
  process: string
  run: string
  values: string
}

/**
 * Keeps samples in a small SQLite file of its own, so that measuring never writes to the database that is measured.
 * Any number of processes may write to it.
 */
export class SignStore implements Disposable {
  readonly #file: SqliteDatabase
  /** By database and run, when the last sample was written that is kept for long. */
  readonly #sparseAt = new Map<string, number>()
  #prunedAt = 0

  /**
   * @param directory is made where it is missing; the file in it is `signs.db`
   * @throws what the file system or SQLite throws
   */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, 'signs.db')
    this.#file = openSqlite(path)
    chmodSync(path, 0o600)
    this.#file.pragma('synchronous = NORMAL')
    this.#file.exec(`CREATE TABLE IF NOT EXISTS samples (
        database TEXT NOT NULL, at INTEGER NOT NULL, run TEXT NOT NULL, process TEXT NOT NULL,
        keep_until INTEGER NOT NULL, "values" TEXT NOT NULL, PRIMARY KEY (database, at, run)
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS samples_keep_until ON samples (keep_until)`)
    this.#file.pragma(`busy_timeout = ${busyMs}`)
  }

  add(database: string, { at, process, run, values }: Sample): void {
    const key = `${database} ${run}`
    const isSparse = at - (this.#sparseAt.get(key) ?? 0) >= sparseEveryMs
    this.#file
      .prepare('INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?, ?)')
      .run(database, at, run, process, at + (isSparse ? sparseMs : denseMs), JSON.stringify(values))
    if (isSparse) this.#sparseAt.set(key, at)
    if (at - this.#prunedAt < sparseEveryMs) return
    this.#prunedAt = at
    this.#file.prepare('DELETE FROM samples WHERE keep_until < ?').run(at)
  }

  /**
   * The samples of a database since a time, the oldest first; with `everyMs` only the first and the last that each run
   * left in each span of that length: counters only grow, so that their differences are the same.
   */
  since(database: string, at: number, everyMs?: number): Sample[] {
    const ends = (which: 'min' | 'max') =>
      // The driver binds numbers as fractions: without the cast every moment would be a span of its own.
      `SELECT ${which}(at), run FROM samples WHERE database = :database AND at >= :at GROUP BY run, at / CAST(:everyMs AS INTEGER)`
    const only = everyMs === undefined ? '' : `AND (at, run) IN (${ends('min')} UNION ${ends('max')})`
    const rows = this.#file
      .prepare(
        `SELECT at, process, run, "values" FROM samples WHERE database = :database AND at >= :at ${only} ORDER BY at`,
      )
      .all({ database, at, ...(everyMs === undefined ? {} : { everyMs }) }) as Row[]
    return rows.map((row) => ({ ...row, values: JSON.parse(row.values) as Sample['values'] }))
  }

  /** The sizes that looks found since a time, the oldest first, one in ten minutes. */
  sizes(database: string, at: number): Size[] {
    return this.#file
      .prepare(
        `SELECT at, json_extract("values", '$.sizeBytes') AS sizeBytes FROM samples
           WHERE database = ? AND at >= ? AND keep_until - at > ${denseMs} AND sizeBytes IS NOT NULL ORDER BY at`,
      )
      .all(database, at) as Size[]
  }

  [Symbol.dispose](): void {
    this.#file.close()
  }
}
