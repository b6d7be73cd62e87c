import { Failure } from '@outgrow/kit'
import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { MoveOptions } from '../../../model/options.ts'
import type { PlannedTable } from '../../../model/plan.ts'
import type { RowRange } from '../../../model/row.ts'
import type { BufferPool } from '../../../types/buffer-pool.ts'
import { RowEncoder } from '../encode-rows.ts'

/** Of each range its 1st, 2nd, 4th, 8th row is read by both, and so on, and then each of so many. */
const rowsPerCheck = 4096
/** Two copies of a larger row would be in memory. */
const maxCheckedBytes = 1024 * 1024

/**
 * Holds what was read of pages against SQLite: how many rows a range has, and some of the rows. The digest of what was sent
 * is made of the bytes that the reader gives, so it would not tell that a row was passed over, or misread.
 */
export class DriverCheck {
  readonly #database: SqliteDatabase
  readonly #table: PlannedTable
  readonly #rows: RowEncoder

  constructor(database: SqliteDatabase, table: PlannedTable, options: MoveOptions, pool: BufferPool) {
    this.#database = database
    this.#table = table
    this.#rows = new RowEncoder(database, table, options, pool)
  }

  /** @param count which row of its range it is, from 1 */
  isDue(count: number): boolean {
    return count % rowsPerCheck === 0 || (count & (count - 1)) === 0
  }

  /**
   * Reads a row through the driver, too.
   * @param encoded as it was read of a page
   * @throws Failure OUTGROW_READER_MISMATCH
   */
  row(rowid: number | bigint, encoded: Buffer): void {
    if (encoded.length > maxCheckedBytes) return
    let isSame = false
    const selection = { where: `${this.#table.source.rowid} = ?`, values: [BigInt(rowid)] }
    for (const buffer of this.#rows.buffers(selection)) {
      isSame = buffer.equals(encoded)
      this.#rows.giveBack(buffer)
    }
    this.#rows.quarantined = []
    if (!isSame) throw this.#mismatch(`The row of ${this.#table.source.name} whose rowid is ${rowid}`)
  }

  /**
   * Has SQLite count the rows of a range.
   * @throws Failure OUTGROW_READER_MISMATCH
   */
  count({ low, high }: NonNullable<RowRange>, rows: number): void {
    const { name, rowid } = this.#table.source
    const counted = this.#database
      .prepare(`SELECT count(*) FROM ${quoteIdentifier(name)} WHERE ${rowid} BETWEEN ? AND ?`)
      .pluck()
      .get(low, high) as number
    if (counted !== rows)
      throw this.#mismatch(`${name} from rowid ${low} to ${high} (${counted} rows in SQLite, ${rows} here)`)
  }

  #mismatch(what: string): Failure {
    return new Failure({
      code: 'OUTGROW_READER_MISMATCH',
      message: `${what} was read from the file’s pages otherwise than SQLite reads it. Nothing was published.`,
      why: 'Some rows are read both ways. The file is damaged, or this is a bug.',
      fix: 'Run `PRAGMA integrity_check` on the file. If it says ok, move with --reader driver, and report this.',
    })
  }
}
