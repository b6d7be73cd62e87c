import type { Finding } from './finding.ts'

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
  /** What was not compared or stays behind knowingly, in words. */
  notes: string[]
  error: ErrorReport | null
}
