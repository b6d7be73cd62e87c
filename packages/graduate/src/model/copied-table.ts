import type { Digest } from './digest.ts'

/** What a table's rows came to on both sides. */
export interface CopiedTable {
  /** Rows read from the source, bad ones included. */
  sourceRows: number
  /** Rows quarantined because a value could not be moved. */
  quarantined: number
  /** What was sent. */
  sent: Digest
  /** What the target was found to hold, once its rows were hashed. */
  received: Digest | undefined
}
