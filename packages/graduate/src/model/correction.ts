import type { Digest } from './digest.ts'

/** What resolving violations changed in a table that was loaded: rows quarantined, or references cleared. */
export interface Correction extends Digest {
  table: string
  column: string
  /** `quarantine` for rows in quarantine, else the `--fix` rule. */
  rule: string
  /** Rows that were changed or taken out. */
  changed: number
  /** `rows` and `sum` are the difference that it makes to the table's digest. */
}

/** Rows that were quarantined after they had been loaded. */
export function quarantinedBy(corrections: Correction[]): number {
  return corrections.reduce((sum, { rows }) => sum - rows, 0)
}
