import type { Digest } from './digest.ts'
import type { PlannedTable } from './plan.ts'
import type { RowsRead } from './row.ts'

/** A table whose changes are followed: both sides name its rows by the same key. */
export interface FollowedTable {
  /** By which the log of changes names it. */
  number: number
  planned: PlannedTable
  /** The key's columns, as positions in `planned.columns`. */
  key: number[]
}

/** The rows of one table that have changed since a position, as they are in one state of the database. */
export interface TableChanges {
  table: FollowedTable
  /** How many keys were changed: as many rows at most. */
  keys: number
  /** The keys in parts, in binary COPY rows of the key's columns. Some have no row any more. */
  keyParts(): Iterable<ChangedPart>
}

/** A part of a table's changes, whose keys fit into memory. */
export interface ChangedPart {
  /** Keys in their binary form, each once. */
  keys: Buffer
  /** Hands over the rows of these keys, encoded now, in pieces of binary COPY rows. */
  rows(onBuffer: (buffer: Buffer) => Promise<void>): Promise<RowsRead>
}

/** What was applied of a table, as the target was found to hold it afterwards. */
export interface AppliedChanges {
  table: FollowedTable
  sent: Digest
  received: Digest
}
