/** Table of the inbox, by the name that it has in every database. */
export const inbox = 'webhook_events'

/** Names of the columns of the application's own table, by what they hold. */
export interface StoredColumns {
  /** Stripe's event id; without it the id is read from the payload. */
  id?: string | undefined
  payload?: string | undefined
  type?: string | undefined
  /** Whether an event was processed. */
  done?: string | undefined
}

export interface AdoptRequest {
  /** The table in which the application kept the events so far. */
  table?: string | undefined
  columns: StoredColumns
  /** Values of the column `done` that mean yes, in small letters. */
  doneValues: string[]
  dryRun: boolean
  /** SQL that makes the inbox in an empty database. */
  ddl: string
}

export interface Adoption {
  /** Whether the inbox was made. */
  created: boolean
  /** Name under which a table called webhook_events, without the inbox's columns or key, was kept. */
  kept: string | null
  rowsRead: number
  imported: { done: number; pending: number; dead: number }
  /** How many events were there more than once. */
  duplicateEvents: number
  /** The first hundred of them, with how often. */
  duplicates: { id: string; rows: number }[]
  duplicateRows: number
  /** Rows that were in the inbox already. */
  known: number
  /** Rows without an id. */
  withoutId: number
}
