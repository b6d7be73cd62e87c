import { parsePostgresUrl } from '@outgrow/databases'
import type { Finding } from '../model/finding.ts'
import type { FixReport, TableReport } from '../model/report.ts'
import type { SourceHealth } from '../source/source.ts'
import { sqliteSource } from '../source/sqlite/snapshot.ts'
import { checkHealth } from '../steps/check-health.ts'
import { inspectTarget } from '../steps/inspect-target.ts'
import { plan } from '../steps/plan.ts'
import { prepare } from '../steps/prepare.ts'
import { read, type ReadRequest } from '../steps/read.ts'
import { resolve } from '../steps/resolve.ts'
import type { RunRequest } from '../steps/step.ts'
import { takeSnapshot } from '../steps/take-snapshot.ts'
import { runFlow, type Flow } from './run-flow.ts'

/** A Postgres that executes the tables' DDL, and takes it back. */
export interface CatalogServer {
  url: string
  /** Nobody means to move there: what it holds does not matter. */
  isScratch: boolean
}

/** What is known about a file before it is moved. */
export interface Inspection extends SourceHealth {
  sizeBytes: number
  tables: TableReport[]
  findings: Finding[]
  fixes: FixReport[]
  notes: string[]
  /** A rough guess from the time that reading took. */
  estimatedMs: number
}

/** The offline move up to its violations, at a target that keeps nothing. */
const flow: Flow<ReadRequest> = {
  steps: [takeSnapshot, prepare, inspectTarget, plan, checkHealth, read, resolve],
  onFindings: 'report',
}

/** Reads the whole file against the schema and changes nothing. */
export function inspectSource({
  from,
  at,
  ...request
}: Omit<RunRequest, 'source' | 'target'> & { from: string; at: CatalogServer }): Promise<Inspection> {
  const whole: ReadRequest = {
    ...request,
    options: { ...request.options, onBadValue: 'stop' },
    source: sqliteSource(from),
    target: parsePostgresUrl(at.url),
    isScratch: at.isScratch,
  }
  return runFlow(flow, whole, ({ run, findings, fixes, steps }) => ({
    ...run.of(checkHealth),
    sizeBytes: run.of(takeSnapshot).sizeBytes,
    tables: [...run.of(read)].map(([{ source }, { digest, rowsRead }]) => ({
      table: source.name,
      sourceRows: rowsRead,
      targetRows: 0,
      quarantinedRows: rowsRead - digest.rows,
      digestMatch: false,
    })),
    findings,
    fixes,
    notes: [...run.of(plan).notes, ...run.of(inspectTarget).staging.carried.notes],
    estimatedMs: 3 * (steps.find(({ name }) => name === read.name)?.ms ?? 0),
  }))
}
