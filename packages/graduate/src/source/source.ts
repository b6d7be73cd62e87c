import type { SourceTable } from '@outgrow/databases'
import type { Finding, ReportedKey } from '../model/finding.ts'
import type { MoveOptions } from '../model/options.ts'
import type { PlannedTable } from '../model/plan.ts'
import type { Chunk, RowsRead } from '../model/row.ts'
import type { SourceObject } from '../model/source-object.ts'
import type { Constraint } from '../model/table.ts'

/** A database that rows are moved out of. Its readers are folders beside this file. */
export interface Source {
  /** Begins to read one consistent state of it. Writers may go on meanwhile. */
  open(signal: AbortSignal): Promise<OpenSnapshot>
}

/** A snapshot, until it is disposed of. */
export type OpenSnapshot = Snapshot & AsyncDisposable

/** One consistent state of a source. */
export interface Snapshot {
  path: string
  /** Tells this state of the source from any other, for `--resume` and `verify`. */
  position: string
  sizeBytes: number
  health(): SourceHealth
  /** @throws Failure OUTGROW_SOURCE_EMPTY when none of them is an application's */
  tables(): SourceTable[]
  /** What the source's schema demands or computes beside tables and columns. */
  objects(): SourceObject[]
  /** How a table is cut for loading. `span` is about how many rows it has. */
  chunks(table: PlannedTable): { chunks: Chunk[]; span: number }
  /** Rows as they go to the target. To be read to the end or closed. */
  rows(table: PlannedTable, options: MoveOptions, chunk: Chunk): RowStream
  /**
   * Holds how many rows all chunks of a table had against how many the source counts in it.
   * @throws Failure OUTGROW_SOURCE_DAMAGED
   */
  checkCount(table: PlannedTable, rowsRead: number): Promise<void>
  /**
   * Reads a whole table for its digest; its rows are held against the source's count.
   * @param onRows is told of each part how many rows it had
   */
  digest(table: PlannedTable, options: MoveOptions, onRows?: (rows: number) => void): Promise<RowsRead>
  /** Reads a whole table again: each row that can go to the target, in its binary form and with its key. */
  eachRow(
    table: PlannedTable,
    options: MoveOptions,
    onRow: (row: Buffer, key: () => ReportedKey) => void,
  ): Promise<void>
  /** Which tables are read in another way than was chosen, and why, in words. */
  readerNotes(tables: PlannedTable[]): string[]
  /** By table, the highest id that was ever given, deleted rows included. */
  counters(): Map<string, bigint>
  /** Rows that would violate the target's constraints. */
  violations(tables: PlannedTable[], constraints: Constraint[], options: MoveOptions): Finding[]
  /**
   * Whether anything was committed since. The source is not changed by looking.
   * @throws Failure OUTGROW_SOURCE_BUSY when a writer keeps the lock
   */
  hasAdvanced(): boolean
  /** How many rows the tables have more by now. */
  rowsSince(tables: string[]): number
}

/** The rows of one chunk as buffers in binary COPY form. */
export interface RowStream {
  /** Rows encoded so far. */
  readonly rows: number
  /** Whether a bad value was met. */
  readonly isBad: boolean
  buffers(): AsyncGenerator<Buffer, void, void>
  /** Lets a buffer be used again, once nobody holds it. */
  giveBack(buffer: Buffer): void
  /** What came of the chunk, once its buffers have been read to the end. */
  readonly result: RowsRead
}

/** What an SQLite file says of itself. */
export interface SourceHealth {
  sqliteVersion: string
  journalMode: string
  encoding: string
  /** `ok`, or what the integrity check finds. */
  integrity: string
  walBytes: number
}
