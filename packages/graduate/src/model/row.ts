import type { Digest } from './digest.ts'
import type { Finding, ReportedKey } from './finding.ts'
import type { FixReport } from './report.ts'

/** Rowids from `low` to `high`, both included; undefined for a table that is read whole. */
export type RowRange = { low: bigint; high: bigint } | undefined

/** Rows that a condition selects. */
export interface RowSelection {
  /** SQL in the source's names, with `?` for each value. */
  where: string
  values: unknown[]
}

/** A row that was found in its table. */
export interface FoundRow {
  /** In its binary form. */
  row: Buffer
  /** Selects it again, for as long as nobody writes. */
  place: RowSelection
}

/** Finds the rows of a table that a condition selects. */
export type FindRows = (selection: RowSelection) => FoundRow[]

/** The part of a table that is loaded in one transaction, and read again by its name in a resumed run. */
export interface Chunk {
  /** Its first rowid; empty for a whole table. The same for the same snapshot. */
  low: string
  range: RowRange
}

/** A row that cannot go to the target, as it is kept beside it. */
export interface QuarantinedRow {
  table: string
  key: ReportedKey
  column: string | null
  reason: string
  /** Column to stored value; binary data as `{"$bytes": hex}`, text that JSON cannot hold as `{"$text": hex}`. */
  row: Record<string, unknown>
}

/** What came of reading rows: a chunk's, or a table's. */
export interface RowsRead {
  /** Of the rows that can go to the target, in their binary form. */
  digest: Digest
  /** Rows read, bad ones included. */
  rowsRead: number
  findings: Finding[]
  fixes: FixReport[]
  quarantined: QuarantinedRow[]
}
