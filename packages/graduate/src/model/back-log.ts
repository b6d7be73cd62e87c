import { quoteIdentifier } from '@outgrow/databases/quote'
import type { FollowedTable } from './change.ts'

/** Where the target logs its own changes, once it has the authority: in the schema of the run that copied the rows. */
export interface BackLog {
  schema: string
  /** The record of the graduation, whose limit bounds the log. */
  record: string
}

/** The log of one table's changed keys: `id`, `everything`, `k0`, `k1`, … */
export function backLogTable({ schema }: BackLog, { number }: Pick<FollowedTable, 'number'>): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(`_outgrow_change_${number}`)}`
}

/** Numbers the entries of all these logs. Not the order of commits: that is nobody's to know. */
export function backLogSequence({ schema }: BackLog): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier('_outgrow_change_seq')}`
}

/** Is called when a change was not logged because the log was full: a number that is drawn is never given back. */
export function backLostSequence({ schema }: BackLog): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier('_outgrow_lost_seq')}`
}
