import type { FailureDetails } from '@outgrow/kit'
import type { MoveOptions } from '../../model/options.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { RowRange, RowsRead } from '../../model/row.ts'
import type { TableLayout } from './pages/table-layout.ts'

/** What the reading thread is asked. Of each `id` one request is answered at a time, in order. */
export type ReaderRequest =
  /** Begins a read transaction; one that is open is given up. */
  | { kind: 'begin' }
  | {
      kind: 'open'
      id: number
      table: PlannedTable
      options: MoveOptions
      range: RowRange
      /** Undefined: rows are read through the driver. */
      layout: TableLayout | undefined
    }
  | { kind: 'next'; id: number }
  /** Nobody holds that shared memory any more. */
  | { kind: 'free'; slot: number }
  /** Reads a range of a table for its digest. */
  | { kind: 'digest'; id: number; table: PlannedTable; options: MoveOptions; range: RowRange }
  /** Counts a table's rows; before that, looks for damage in its pages where the driver is to read it. */
  | { kind: 'count'; id: number; table: PlannedTable; checksPages: boolean }
  | { kind: 'close'; id: number }

export type ReaderReply =
  | { kind: 'begun' }
  | RowsReply
  | { kind: 'end'; id: number; result: RowsRead }
  | { kind: 'counted'; id: number; rows: number | undefined }
  | { kind: 'failed'; error: ReaderError }

/** What ended a request; a Failure keeps its words. */
export interface ReaderError {
  name: string
  message: string
  code: string | undefined
  failure: FailureDetails | undefined
}

/** Rows in binary COPY form: the first `length` bytes of memory that is sent along, the first time at least. */
export interface RowsReply {
  kind: 'rows'
  id: number
  /** Number of the shared memory; undefined for a buffer made for a large row, which is sent itself. */
  slot: number | undefined
  memory: ArrayBufferLike | undefined
  length: number
  /** Rows encoded so far. */
  rows: number
  isBad: boolean
}
