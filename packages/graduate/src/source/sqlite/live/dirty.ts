import type { SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { logTable, type CapturedTable } from './captured-table.ts'

interface Statement {
  run(...values: unknown[]): { changes: number }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
}

interface DirtyTable {
  captured: CapturedTable
  fill: Statement
  empty: Statement
  nulls: Statement
}

/** The temporary table with a captured table's dirty keys, in the columns k1, k2, … */
export const dirtyTable = (table: Pick<CapturedTable, 'number'>): string => `_outgrow_dirty_${table.number}`

/**
 * The distinct keys of a part of the log, in temporary tables of one connection: `temp._outgrow_dirty_<number>`, to be
 * joined with the tables themselves. Values are exactly those logged: 1 and 1.0, or texts that a collation makes equal, are two
 * keys.
 */
export class DirtyKeys {
  readonly #database: SqliteDatabase
  readonly #tables = new Map<number, DirtyTable>()
  readonly #counts: Statement
  readonly #stage: Statement
  readonly #filled = new Set<DirtyTable>()
  readonly #captured: Map<number, CapturedTable>

  /**
   * Makes the temporary tables, in memory: outside of a transaction, since a rollback would take them away.
   * @param database may be opened for reading only, with `query_only` off
   */
  constructor(database: SqliteDatabase, tables: CapturedTable[]) {
    this.#database = database
    this.#captured = new Map(tables.map((table) => [table.number, table]))
    database.pragma('query_only = 0')
    database.pragma('temp_store = MEMORY')
    const widest = Math.max(1, ...tables.map(({ key }) => key.length))
    const columns = keyColumns(widest)
    database.exec(`CREATE TEMP TABLE _outgrow_staged (tbl, ${columns})`)
    for (const captured of tables) {
      database.exec(`CREATE TEMP TABLE ${dirtyTable(captured)} (${keyColumns(captured.key.length)})`)
    }
    this.#counts = database.prepare(
      `SELECT tbl AS number, count(*) AS entries FROM main.${logTable} WHERE seq > ? AND seq <= ? AND tbl > 0 GROUP BY tbl`,
    )
    this.#stage = database.prepare(
      `INSERT INTO temp._outgrow_staged SELECT tbl, ${columns} FROM main.${logTable}
        WHERE seq > ? AND seq <= ? AND tbl > 0 ORDER BY tbl, seq`,
    )
  }

  /**
   * Fills the tables anew with the keys of the entries `from < seq <= to`, within the caller's transaction.
   * @returns by the number of each table that has any, how many keys
   * @throws Failure OUTGROW_KEY_NULL when a row without a key was written
   */
  collect(from: number, to: number): Map<number, number> {
    // A rollback brings back what was there before, so each that ever was filled is emptied.
    for (const table of this.#filled) table.empty.run()
    const counts = this.#counts.all(from, to) as { number: number; entries: number }[]
    const keys = new Map<number, number>()
    if (counts.length === 0) return keys
    this.#database.exec('DELETE FROM temp._outgrow_staged')
    this.#stage.run(from, to)
    let low = 0
    for (const { number, entries } of counts) {
      const table = this.#table(number)
      this.#filled.add(table)
      keys.set(number, table.fill.run(low, low + entries).changes)
      low += entries
      if (table.nulls.get() !== undefined) throw keyIsNull(table.captured)
    }
    return keys
  }

  #table(number: number): DirtyTable {
    const known = this.#tables.get(number)
    if (known) return known
    const captured = this.#captured.get(number)
    if (!captured) throw new Error(`The log has an entry of table ${number}, which is not captured.`)
    const name = `temp.${dirtyTable(captured)}`
    const columns = keyColumns(captured.key.length)
    const types = captured.key.map((_, at) => `typeof(k${at + 1})`).join(', ')
    const table = {
      captured,
      fill: this.#database.prepare(
        `INSERT INTO ${name} SELECT ${columns} FROM (SELECT DISTINCT ${columns}, ${types}
           FROM temp._outgrow_staged WHERE rowid > ? AND rowid <= ?)`,
      ),
      empty: this.#database.prepare(`DELETE FROM ${name}`),
      nulls: this.#database.prepare(
        `SELECT 1 FROM ${name} WHERE ${captured.key.map((_, at) => `k${at + 1} IS NULL`).join(' OR ')} LIMIT 1`,
      ),
    }
    this.#tables.set(number, table)
    return table
  }
}

const keyColumns = (count: number) => Array.from({ length: count }, (_, at) => `k${at + 1}`).join(', ')

function keyIsNull({ name, key }: CapturedTable): Failure {
  return new Failure({
    code: 'OUTGROW_KEY_NULL',
    message: `A row of ${name} was written with NULL in its key (${key.join(', ')}).`,
    why: 'Such a row cannot be told from another, so its changes cannot be followed, and Postgres refuses it.',
    fix: 'Give the row a key, or delete it, and begin the graduation again.',
  })
}
