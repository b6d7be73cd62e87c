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
  keyParts(): Iterable<ChangePart>
}

/** A part of a table's changes that fits into memory. */
export interface ChangePart {
  /** Keys in their binary form. */
  keys: Buffer
  /** The rows of these keys, encoded now. */
  rows(): { buffers: Buffer[]; read: RowsRead }
}

/** What was applied of a table, as the target was found to hold it afterwards. */
export interface AppliedChanges {
  table: FollowedTable
  sent: Digest
  received: Digest
}
