import { parsePostgresUrl } from '@outgrow/databases'
import { sameDigest } from '../model/digest.ts'
import type { Plan } from '../model/plan.ts'
import type { Report, TableReport } from '../model/report.ts'
import type { Staging } from '../model/staging.ts'
import type { Rendered } from '../source/files/rendered.ts'
import type { Snapshot } from '../source/source.ts'
import { sqliteSource } from '../source/sqlite/snapshot.ts'
import { baselineOf, writeBaselineFiles } from '../steps/baseline.ts'
import { compareAfresh } from '../steps/compare-afresh.ts'
import { compare } from '../steps/compare.ts'
import { constrain } from '../steps/constrain.ts'
import { copy, type Copied } from '../steps/copy.ts'
import { count } from '../steps/count.ts'
import { claimTarget } from '../steps/open-target.ts'
import { plan } from '../steps/plan.ts'
import { prepare } from '../steps/prepare.ts'
import { publish } from '../steps/publish.ts'
import { resolve } from '../steps/resolve.ts'
import type { MoveRequest } from '../steps/move-request.ts'
import { stage } from '../steps/stage.ts'
import { takeSnapshot } from '../steps/take-snapshot.ts'
import { runFlow, StoppedByFindings, type Flow, type FlowResult } from './run-flow.ts'

export interface MigrateRequest extends Omit<MoveRequest, 'source' | 'target' | 'renderedWith'> {
  from: string
  to: string
  /** Loads a transformed export in place of the source's rows. */
  rendered?: Rendered | undefined
}

export type MoveResult = Pick<Report, 'tables' | 'findings' | 'fixes' | 'steps'> & {
  notes: string[]
  /** The source was written to after the snapshot. */
  advanced: boolean
  /** How many more rows it has by now; 0 when rows were only changed. */
  laterRows: number
  run: string
  /** An earlier run had published this very state of the file already, and it was only compared again. */
  wasPublished: boolean
}

/** Whoever was killed between publishing and the report finds it done, and compares it. */
const compareAgain: Flow<MoveRequest> = { steps: [plan, compareAfresh], onFindings: 'report' }

const offline: Flow<MoveRequest> = {
  steps: [
    takeSnapshot,
    prepare,
    claimTarget,
    { when: (run) => run.of(claimTarget).recorded !== undefined, then: compareAgain },
    stage,
    plan,
    copy,
    resolve,
    constrain,
    count,
    compare,
    publish,
  ],
  onFindings: 'stop',
}

/** Values that cannot be moved as they are stopped the move. The target is as it was. */
export class MoveStopped extends Error {
  readonly result: MoveResult

  constructor(result: MoveResult) {
    super('the source contains values that cannot be moved')
    this.result = result
  }
}

/**
 * Moves a whole SQLite database into an empty Postgres, as one pipeline without intermediate files.
 * Until the last step nothing is visible in the target but schemas of the run's own.
 * @throws MoveStopped; Failure for everything expected: the target is then as it was, or holds a run that can be resumed
 */
export async function migrate({ from, to, rendered, ...request }: MigrateRequest): Promise<MoveResult> {
  try {
    return await runFlow(
      offline,
      {
        ...request,
        source: rendered?.source ?? sqliteSource(from, { reader: request.reader ?? 'auto' }),
        target: parsePostgresUrl(to),
        renderedWith: rendered?.schema,
      },
      moveResult,
    )
  } catch (error) {
    if (error instanceof StoppedByFindings) throw new MoveStopped(stoppedResult(error.result))
    throw error
  }
}

function moveResult(result: FlowResult<MoveRequest>): MoveResult {
  const { run, ...rest } = result
  const { recorded } = run.of(claimTarget)
  return recorded ? comparedResult(result, recorded) : { ...rest, ...publishedOf(run) }
}

function publishedOf(run: FlowResult<MoveRequest>['run']): Omit<MoveResult, 'findings' | 'fixes' | 'steps'> {
  const { staging } = run.of(stage)
  const planned = run.of(plan)
  const snapshot = run.of(takeSnapshot)
  return {
    tables: run.of(compare),
    notes: [
      ...planned.notes,
      ...staging.carried.notes,
      ...snapshot.readerNotes(planned.tables),
      ...run.of(publish).notes,
    ],
    ...sinceSnapshot(snapshot, planned),
    run: staging.run,
    wasPublished: false,
  }
}

/** The run was published before; its files are written in case they are not there yet. */
function comparedResult({ run, findings, steps }: FlowResult<MoveRequest>, recorded: Staging): MoveResult {
  const prepared = run.of(prepare)
  const written = run.request.writesHistory
    ? writeBaselineFiles(prepared, recorded, baselineOf(prepared, recorded))
    : []
  const { tables, notes } = run.of(compareAfresh)
  return {
    tables,
    findings: [...(recorded.result?.findings ?? []), ...findings],
    fixes: recorded.result?.fixes ?? [],
    steps,
    notes: [
      `Run ${recorded.run} already moved this file; both sides were compared again.`,
      ...notes,
      ...written,
    ],
    ...sinceSnapshot(run.of(takeSnapshot), undefined),
    run: recorded.run,
    wasPublished: true,
  }
}

/** What came to the source after the snapshot: those rows are not in the target. */
function sinceSnapshot(
  snapshot: Snapshot,
  planned: Plan | undefined,
): Pick<MoveResult, 'advanced' | 'laterRows'> {
  const advanced = snapshot.hasAdvanced()
  const names = planned?.tables.map(({ source }) => source.name) ?? []
  return { advanced, laterRows: advanced ? snapshot.rowsSince(names) : 0 }
}

function stoppedResult({ run, ...rest }: FlowResult): MoveResult {
  const staging = run.maybe(stage)?.staging
  return {
    ...rest,
    tables: tablesSoFar(run.maybe(copy)),
    notes: [...(run.maybe(plan)?.notes ?? []), ...(staging?.carried.notes ?? [])],
    advanced: false,
    laterRows: 0,
    run: staging?.run ?? '',
    wasPublished: false,
  }
}

function tablesSoFar(copied: Copied | undefined): TableReport[] {
  return [...(copied?.tables ?? [])].map(([{ source }, { sourceRows, quarantined, sent, received }]) => ({
    table: source.name,
    sourceRows,
    targetRows: received?.rows ?? 0,
    quarantinedRows: quarantined,
    digestMatch: received !== undefined && sameDigest(sent, received),
  }))
}
