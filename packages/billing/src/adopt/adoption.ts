/** Names of the columns of the application's own table, by what they hold. */
export interface StoredColumns {
  /** Stripe's event id; without it the id is read from the payload. */
  id?: string | undefined
  /** The whole event. */
  payload?: string | undefined
  /** Only the event's `data`, where there is no column with the whole of it. */
  data?: string | undefined
  type?: string | undefined
  livemode?: string | undefined
  apiVersion?: string | undefined
  /** When Stripe made it. */
  created?: string | undefined
  /** When the application got it. */
  received?: string | undefined
  /** Whether an event was processed; a time means yes. */
  done?: string | undefined
  /** Whether its signature was valid. */
  valid?: string | undefined
}

export type ColumnRole = keyof StoredColumns

/** Rows of other providers in the same table are left out. */
export interface OnlyRows {
  column: string
  value: string
}

export interface AdoptRequest {
  /** The table or view in which the application kept the events so far: `events`, `stripe.events`, `"My schema"."Events"`. */
  table?: string | undefined
  /** An application whose table is known. Columns that are named go before its own. */
  preset?: string | undefined
  columns: StoredColumns
  only?: OnlyRows | undefined
  /** Values of the columns `done` and `valid` that mean yes, in small letters. */
  yesValues: readonly string[]
  /** Events received before are done, whatever the table says. */
  doneBefore?: Date | undefined
}

/** What became of the rows. Each is in one of these counts. */
export interface Adoption {
  /** The inbox's table. */
  inbox: string
  /** Whether the inbox was made, or would be. */
  created: boolean
  /** The table that was read; null where none was named. */
  table: string | null
  rowsRead: number
  /** Events by what they are in the inbox. Those that billing does not handle count as done. */
  imported: { done: number; pending: number; dead: number }
  /** Rows whose signature was not valid: anybody may have sent them. */
  invalid: number
  /** Rows of other providers. */
  otherProvider: number
  /** Rows without an event id. */
  withoutId: number
  /** Rows whose event was in the inbox before. */
  known: number
  /** Of those, events that an earlier run made pending or dead, and that the table knows better by now. */
  updated: number
  /** How many events were there more than once. */
  duplicateEvents: number
  /** The first hundred of them, with how often. */
  duplicates: { id: string; rows: number }[]
  duplicateRows: number
}

export function emptyAdoption(inbox: string, created: boolean): Adoption {
  return {
    inbox,
    created,
    table: null,
    rowsRead: 0,
    imported: { done: 0, pending: 0, dead: 0 },
    invalid: 0,
    otherProvider: 0,
    withoutId: 0,
    known: 0,
    updated: 0,
    duplicateEvents: 0,
    duplicates: [],
    duplicateRows: 0,
  }
}

/** Whether a row stayed behind, or cannot be worked on. */
export function hasLeftovers({ imported, invalid, otherProvider, withoutId }: Adoption): boolean {
  return imported.dead + invalid + otherProvider + withoutId > 0
}
