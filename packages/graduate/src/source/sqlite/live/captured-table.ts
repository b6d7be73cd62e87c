/** A table of the file whose changes are logged. */
export interface CapturedTable {
  /** What the log's entries name it by: from 1, unique. */
  number: number
  name: string
  /** Columns of a unique key: `captureKey` chooses them. */
  key: string[]
}

/** Of the log, of its state, and of the schema as it was before the tables were put aside. */
export const logTable = '_outgrow_change'
export const captureTable = '_outgrow_capture'
export const originalSchemaTable = '_outgrow_schema'

/** What begins with it belongs to the graduation. */
export const reservedPrefix = '_outgrow_'
