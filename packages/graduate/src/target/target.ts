import type { DescribedItem } from '@outgrow/databases'
import type { Digest } from '../model/digest.ts'
import type { PlannedTable } from '../model/plan.ts'
import type { Constraint, TargetTable } from '../model/table.ts'

/** One connection to a database that rows are moved into. Its databases are folders beside this file. */
export interface Target {
  /** Tables of the named schemas, with their columns in order. */
  tables(schemas: string[]): Promise<TargetTable[]>
  /** What the schemas hold, as it can be compared with what was promised. */
  structure(schemas: string[]): Promise<DescribedItem[]>
  /**
   * Begins a transaction and loads rows in their binary form. Returns the bytes sent.
   * @param giveBack is called with each buffer that was sent
   */
  load(
    table: PlannedTable,
    buffers: AsyncIterable<Buffer>,
    giveBack: (buffer: Buffer) => void,
  ): Promise<number>
  /**
   * Loads the rows of several tables, in their binary form and whole in memory, in one transaction.
   * @param last statements that run in it before it is committed
   */
  loadTogether(tables: { table: PlannedTable; rows: Buffer }[], last: string[]): Promise<void>
  /** One pass over the planned columns of each table, which are small. */
  digests(tables: readonly PlannedTable[]): Promise<Digest[]>
  /** The same for one table of any size, which tells how far it is. */
  digest(table: PlannedTable, request?: { onRows?: (rows: number) => void }): Promise<Digest>
  /** Digests of rows by buckets of their keys, as `KeyDigests` has them. */
  digestsByKey(table: PlannedTable, buckets: KeyBuckets): Promise<Digest[]>
  /** The rows of some buckets, in binary form. A row is the callee's only until it returns. */
  eachRow(table: PlannedTable, buckets: Buckets, onRow: (row: Buffer) => void): Promise<void>
  /** Puts keys, indexes and checks in place, and returns those that rows violate. */
  constrain(constraints: Constraint[]): Promise<Violation[]>
  /** Runs `work` in one transaction. */
  transaction<Result>(work: () => Promise<Result>): Promise<Result>
  /** Runs `work`, which only reads, on one state of the target: that of the outermost such work. */
  reading<Result>(work: () => Promise<Result>): Promise<Result>
}

/** How a table's rows fall into buckets by their keys. */
export interface KeyBuckets {
  /** Positions of the key's columns. */
  key: readonly number[]
  /** How many there are: a power of two. */
  buckets: number
}

/** Some of these buckets. */
export interface Buckets extends KeyBuckets {
  of: readonly number[]
}

/** A constraint that could not be put in place, because of rows that violate it. */
export interface Violation {
  constraint: Constraint
  /** SQLSTATE: 23505 duplicate, 23503 foreign key, 23514 check, 54000 index entry too large. */
  state: string
  message: string
}
