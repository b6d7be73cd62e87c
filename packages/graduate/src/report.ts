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

export interface TableReport {
  /** The table's name in the SQLite file. */
  table: string
  sourceRows: number
  targetRows: number
  quarantinedRows: number
  digestMatch: boolean
}

export interface StepReport {
  name: string
  ms: number
  rows: number
  bytes: number
}

export interface FixReport {
  rule: string
  table: string
  column: string
  count: number
}

export interface ErrorReport {
  code: string
  message: string
  why: string | null
  fix: string | null
}

/** The document that `--json` prints, and from which the human text is made. */
export interface Report {
  command: string
  ok: boolean
  exitCode: number
  tables: TableReport[]
  findings: Finding[]
  fixes: FixReport[]
  steps: StepReport[]
  error: ErrorReport | null
}

/** A value in a form that is safe to print: control characters escaped, long text cut, binary data as hex. */
export function excerptOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) {
    return `x'${value.subarray(0, 20).toString('hex')}'${value.length > 20 ? `… (${value.length} bytes)` : ''}`
  }
  const text = typeof value === 'string' ? value : reportedText(value)
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text
  return typeof value === 'string' ? JSON.stringify(shown) : shown
}

export function reportedValue(value: unknown): string | number | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return value
  if (Buffer.isBuffer(value)) return value.toString('hex')
  return reportedText(value)
}

/** SQLite's values are numbers, bigints, texts and buffers; anything else is shown as JSON. */
function reportedText(value: unknown): string {
  // Neither a terminal nor Postgres' json takes a NUL.
  if (typeof value === 'string') return value.includes('\0') ? JSON.stringify(value) : value
  return typeof value === 'bigint' || typeof value === 'number' ? String(value) : JSON.stringify(value)
}
