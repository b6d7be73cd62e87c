import type { OnlyRows, StoredColumns } from '../adoption.ts'

/** Where an application keeps Stripe's events. */
export interface StoredShape {
  table: string
  columns: StoredColumns
  only?: OnlyRows
}

export interface Preset {
  name: string
  /** The application's own name. */
  of: string
  /** Its versions, the newest first: the first whose table and columns are all there is read. */
  shapes: readonly StoredShape[]
  /** What is to be known about its rows, or why it has none. */
  note?: string
}
