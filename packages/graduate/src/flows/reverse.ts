import { parsePostgresUrl, parseSqliteSource } from '@outgrow/databases'
import type { Finding } from '../model/finding.ts'
import type { StepReport, TableReport } from '../model/report.ts'
import { sqliteSource } from '../source/sqlite/snapshot.ts'
import { prepare } from '../steps/prepare.ts'
import { compareFile } from '../steps/reverse/compare-file.ts'
import { copyRows } from '../steps/reverse/copy-rows.ts'
import { finishFile } from '../steps/reverse/finish-file.ts'
import { makeFile } from '../steps/reverse/make-file.ts'
import { openPostgres } from '../steps/reverse/open-postgres.ts'
import { pairTables } from '../steps/reverse/pair-tables.ts'
import { publishFile } from '../steps/reverse/publish-file.ts'
import type { ReverseRequest } from '../steps/reverse/reverse-request.ts'
import { partOf } from '../target/sqlite/new-file.ts'
import { runFlow, type Flow } from './run-flow.ts'

export interface ReverseMove extends Omit<ReverseRequest, 'source' | 'target' | 'path' | 'part'> {
  /** A Postgres. It is only read. */
  from: string
  /** An SQLite file that does not exist, or is empty. */
  to: string
}

export interface ReverseResult {
  tables: TableReport[]
  /** What stays behind. */
  findings: Finding[]
  steps: StepReport[]
  notes: string[]
  /** Of the file. */
  sizeBytes: number
}

const reverse: Flow<ReverseRequest> = {
  steps: [openPostgres, prepare, makeFile, pairTables, copyRows, finishFile, compareFile, publishFile],
  onFindings: 'stop',
}

/** The file is read by as many threads as keep two cores busy, beside the server. */
const readerThreads = 2

/**
 * Moves a whole Postgres into a new SQLite file, which is made beside its place and put there once it was compared.
 * @throws StoppedByFindings; Failure for everything expected: the place is then as it was
 */
export function moveBack({ from, to, ...request }: ReverseMove): Promise<ReverseResult> {
  const { path } = parseSqliteSource(to)
  const part = partOf(path)
  const whole = {
    ...request,
    path,
    part,
    source: sqliteSource(part, { threads: readerThreads }),
    target: parsePostgresUrl(from),
  }
  return runFlow(reverse, whole, ({ run, findings, steps }) => ({
    tables: run.of(compareFile),
    findings,
    steps,
    notes: run.of(pairTables).plan.notes,
    ...run.of(publishFile),
  }))
}
