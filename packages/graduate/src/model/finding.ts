import { Failure, type FailureDetails } from '@outgrow/kit'

/** A key as reports write it: column to value, large integers and binary data as text. */
export type ReportedKey = Record<string, string | number | null>

/** Something that needs the user's decision, grouped by table, column and reason. */
export interface Finding {
  /** `OUTGROW_…`, listed in docs/errors.md. */
  code: `OUTGROW_${string}`
  table: string | null
  column: string | null
  /** Rows. */
  count: number
  /** The first ten. */
  keys: ReportedKey[]
  /** SQLite's storage class of the first value. */
  storage: string | null
  /** The first value, shortened and printable. */
  excerpt: string | null
  reason: string
  /** Rules or options that would settle it. */
  fixes: string[]
}

/** A finding that names no rows or values, but for what is given. */
export function findingOf({
  code,
  table,
  ...more
}: Pick<Finding, 'code' | 'table' | 'reason' | 'fixes'> & Partial<Finding>): Finding {
  return { code, table, column: null, count: 1, keys: [], storage: null, excerpt: null, ...more }
}

/** An expected failure whose report names what led to it. */
export class Refusal extends Failure {
  readonly findings: Finding[]

  constructor(details: FailureDetails, findings: Finding[]) {
    super(details)
    this.findings = findings
  }
}

/** It concerns what stays in the file; the rows are whole. */
export function isLeftBehind({ code }: Pick<Finding, 'code'>): boolean {
  return code === 'OUTGROW_OBJECT_LEFT' || code === 'OUTGROW_CONSTRAINT_LOST'
}
