import { FindingCollector, FixCounter } from '../../model/collectors.ts'
import { addDigests, emptyDigest } from '../../model/digest.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Chunk, RowRange, RowsRead } from '../../model/row.ts'
import type { RowStream } from '../source.ts'
import type { TableLayout } from './pages/table-layout.ts'
import { ReaderThread } from './reader.ts'
import { holdAgainst } from './table-check.ts'

/** Threads that read one state of a file, each with a connection of its own. */
export class ReaderThreads {
  readonly #threads: ReaderThread[]
  #lastUsed = 0
  /** Threads that read no digest, and who waits for one. */
  readonly #idle: ReaderThread[]
  readonly #waiting: ((thread: ReaderThread) => void)[] = []
  /** By table, how many rows SQLite counts in it, and whether its pages were checked before that. */
  readonly #counts = new Map<string, { rows: Promise<number | undefined>; isChecked: boolean }>()

  constructor(path: string, count: number, signal: AbortSignal) {
    this.#threads = Array.from({ length: count }, () => new ReaderThread(path, signal))
    this.#idle = [...this.#threads]
  }

  /** Has every thread begin a read transaction on what is committed now. */
  async begin(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.begin()))
  }

  /** Opens a range of a table in one of the threads. The driver reads only of pages that were checked. */
  rows(
    table: PlannedTable,
    options: MoveOptions,
    range: RowRange,
    layout: TableLayout | undefined,
  ): RowStream {
    this.#lastUsed = (this.#lastUsed + 1) % this.#threads.length
    const checked = layout ? undefined : this.#count(table, true)
    return (this.#threads[this.#lastUsed] as ReaderThread).rows(table, options, range, layout, checked)
  }

  /**
   * Holds the rows that were read of a table against SQLite's count, which is made once.
   * @throws Failure OUTGROW_SOURCE_DAMAGED
   */
  async checkCount(table: PlannedTable, rowsRead: number): Promise<void> {
    // Where SQLite found no row, nobody has read anything: its pages were not looked at.
    holdAgainst(await this.#count(table, rowsRead === 0), table, rowsRead)
  }

  /**
   * Reads a table for its digest, each chunk in whichever thread is idle. Rows to be quarantined are only counted.
   * @throws Failure OUTGROW_SOURCE_DAMAGED
   */
  async digest(
    table: PlannedTable,
    options: MoveOptions,
    chunks: Chunk[],
    onRows?: (rows: number) => void,
  ): Promise<RowsRead> {
    const checked = this.#count(table, true)
    const parts = await Promise.all(
      chunks.map(async ({ range }) => {
        const part = await this.#whenIdle((thread) => thread.digest(table, options, range))
        onRows?.(part.rowsRead)
        return part
      }),
    )
    const read = together(parts)
    holdAgainst(await checked, table, read.rowsRead)
    return read
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }

  #count(table: PlannedTable, isChecked: boolean): Promise<number | undefined> {
    const { name } = table.source
    const known = this.#counts.get(name)
    if (known?.isChecked || (known && !isChecked)) return known.rows
    const rows = this.#whenIdle((thread) => thread.count(table, isChecked))
    rows.catch(() => {}) // awaited by whoever reads the table
    this.#counts.set(name, { rows, isChecked })
    return rows
  }

  async #whenIdle<Result>(ask: (thread: ReaderThread) => Promise<Result>): Promise<Result> {
    const thread = this.#idle.pop() ?? (await new Promise<ReaderThread>((take) => this.#waiting.push(take)))
    const result = await ask(thread)
    const next = this.#waiting.shift()
    if (next) next(thread)
    else this.#idle.push(thread)
    return result
  }
}

function together(parts: RowsRead[]): RowsRead {
  const findings = new FindingCollector()
  const fixes = new FixCounter()
  for (const part of parts) {
    findings.merge(part.findings)
    fixes.merge(part.fixes)
  }
  return {
    digest: parts.map(({ digest }) => digest).reduce(addDigests, emptyDigest),
    rowsRead: parts.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
    findings: findings.findings,
    fixes: fixes.fixes,
    quarantined: [],
  }
}
