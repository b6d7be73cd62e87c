import type { PostgresClient } from '@outgrow/databases'
import type { FindingCollector, FixCounter } from '../copy/findings.ts'
import type { Digest } from '../copy/digest.ts'
import type { MoveOptions } from '../options.ts'
import type { Plan, PlannedTable } from '../plan.ts'
import type { Finding } from '../report.ts'
import type { SourceReader } from '../source/reader.ts'
import type { Snapshot } from '../source/snapshot.ts'
import type { Rendered } from '../files/rendered.ts'
import type { Counters } from './sequences.ts'
import type { Staging } from '../target/staging.ts'

/** What a table's rows came to on both sides. */
export interface TableState {
  /** Rows read from the file, bad ones included. */
  sourceRows: number
  /** Rows set aside because a value could not be moved. */
  quarantined: number
  /** What was sent. */
  sent: Digest
  /** What the target was found to hold, once it was read back. */
  received: Digest | undefined
}

/** Everything that the steps of one run share. */
export interface Move {
  snapshot: Snapshot
  /** Reads and encodes the snapshot's rows, in a thread of its own. */
  reader: SourceReader
  plan: Plan
  staging: Staging
  options: MoveOptions
  /** Two connections that load and build: the server is the wall, and more would only queue. */
  clients: PostgresClient[]
  /** Builds keys and reads back what was loaded, while the others go on. */
  builder: PostgresClient
  hash: (bytes: Uint8Array) => bigint
  findings: FindingCollector
  fixes: FixCounter
  tables: Map<PlannedTable, TableState>
  bytesSent: number
  /** Where the target's counters go on, once they were read. */
  counters: Counters
  /** Rows that were rendered to files before, in place of reading the snapshot. */
  rendered: Rendered | undefined
  progress: Progress
  signal: AbortSignal
}

/** Whether what was found so far ends the run. Everything that stops or goes on asks here. */
export function mustStop({ findings, options }: Pick<Move, 'findings' | 'options'>): boolean {
  return (
    options.onBadValue === 'stop' && findings.findings.some((finding) => !isResolvedByRule(finding, options))
  )
}

/** Orphans that a rule set aside, and their children, do not stop the run. */
function isResolvedByRule({ code }: Finding, { rules }: MoveOptions): boolean {
  return (
    rules.has('orphans-quarantine') && (code === 'OUTGROW_ORPHAN' || code === 'OUTGROW_PARENT_QUARANTINED')
  )
}

export interface ProgressEvent {
  step: string
  rows: number
  bytes: number
  /** Estimated, for the bar. */
  totalRows: number
}

/** Hears how far a step is. */
export type Progress = (event: ProgressEvent) => void
