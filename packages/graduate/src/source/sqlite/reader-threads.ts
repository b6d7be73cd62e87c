import { FindingCollector, FixCounter } from '../../model/collectors.ts'
import { addDigests, emptyDigest } from '../../model/digest.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Chunk, RowRange, RowsRead } from '../../model/row.ts'
import type { RowStream } from '../source.ts'
import type { TableLayout } from './pages/table-layout.ts'
import { ReaderThread } from './reader.ts'

/** Threads that read one state of a file, each with a connection of its own. */
export class ReaderThreads {
  readonly #threads: ReaderThread[]
  #lastUsed = 0
  /** Threads that read no digest, and who waits for one. */
  readonly #idle: ReaderThread[]
  readonly #waiting: ((thread: ReaderThread) => void)[] = []

  constructor(path: string, count: number, signal: AbortSignal) {
    this.#threads = Array.from({ length: count }, () => new ReaderThread(path, signal))
    this.#idle = [...this.#threads]
  }

  /** Has every thread begin a read transaction on what is committed now. */
  async begin(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.begin()))
  }

  /** Opens a range of a table in one of the threads. */
  rows(
    table: PlannedTable,
    options: MoveOptions,
    range: RowRange,
    layout: TableLayout | undefined,
  ): RowStream {
    this.#lastUsed = (this.#lastUsed + 1) % this.#threads.length
    return (this.#threads[this.#lastUsed] as ReaderThread).rows(table, options, range, layout)
  }

  /** Reads a table for its digest, each chunk in whichever thread is idle. Rows to be quarantined are only counted. */
  async digest(
    table: PlannedTable,
    options: MoveOptions,
    chunks: Chunk[],
    onRows?: (rows: number) => void,
  ): Promise<RowsRead> {
    const parts = await Promise.all(
      chunks.map(async ({ range }) => {
        const thread =
          this.#idle.pop() ?? (await new Promise<ReaderThread>((take) => this.#waiting.push(take)))
        const part = await thread.digest(table, options, range)
        const next = this.#waiting.shift()
        if (next) next(thread)
        else this.#idle.push(thread)
        onRows?.(part.rowsRead)
        return part
      }),
    )
    return together(parts)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
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
