import type { PostgresUrl } from '@outgrow/databases'
import type { SchemaSource } from '@outgrow/schema'
import { isLeftBehind, type Finding } from '../model/finding.ts'
import type { MoveOptions } from '../model/options.ts'
import type { Progress } from '../model/progress.ts'
import type { FixReport, StepReport } from '../model/report.ts'
import { orphansQuarantine } from '../rules/orphans-quarantine.ts'
import type { Source } from '../source/source.ts'

/** What every flow is asked for. */
export interface RunRequest {
  source: Source
  target: PostgresUrl
  schema: SchemaSource
  options: MoveOptions
  progress: Progress
  /** Is called before each step, and waited for. */
  onStep?(title: string, at: number, of: number): void | Promise<void>
  /** Has the target's rows come back to be hashed here, even where its server could do it. */
  readsBack?: boolean | undefined
  signal: AbortSignal
}

/** One step of a flow: what it needs of earlier steps it asks the run for. */
export interface Step<Value = void, Request extends RunRequest = RunRequest, Begun = unknown> {
  name: string
  /** For the user: what it does, starting with a verb. */
  title: string
  /** It still runs when findings are about to stop the run, so that everything wrong is named at once. */
  completesFindings?: boolean
  /** Begins, together with the flow, what takes long and needs nothing of earlier steps. */
  begin?(run: Run<Request>): Begun
  /** @param begun what `begin` returned */
  run(run: Run<Request>, begun: Begun): Promise<Outcome<Value>>
}

/** A run as its steps see it: nothing in it is theirs to change. */
export interface Run<Request extends RunRequest = RunRequest> {
  readonly request: Request
  /** What earlier steps found. */
  readonly findings: Finding[]
  readonly fixes: FixReport[]
  readonly steps: readonly StepReport[]
  /** What a step of this flow gave, which must have run. */
  of<Value>(step: Step<Value, never>): Value
  /** The same, undefined where the flow has not run it. */
  maybe<Value>(step: Step<Value, never>): Value | undefined
  /** Has something closed when the flow ends, however it ends. */
  defer(close: () => PromiseLike<void> | void): void
  /** Has what ends this flow put in other words, such as a server's error. */
  explain(translate: (error: unknown) => unknown): void
}

/** What came of a step. */
interface Outcome<Value> {
  value: Value
  findings?: Finding[]
  fixes?: FixReport[]
  rows?: number
  bytes?: number
  /** Takes back what the step made, when findings stop the run. */
  undo?: () => Promise<void>
}

/** Whether findings end a run. Everything that stops or goes on asks here. */
export function mustStop(findings: readonly Finding[], options: MoveOptions): boolean {
  return options.onBadValue === 'stop' && findings.some((finding) => !isResolved(finding, options))
}

/** What is left behind is named, and the rows are whole. Orphans that a rule quarantined are resolved, and their children. */
function isResolved(finding: Finding, { rules }: MoveOptions): boolean {
  const { code } = finding
  if (isLeftBehind(finding)) return true
  return (
    rules.has(orphansQuarantine.name) && (code === 'OUTGROW_ORPHAN' || code === 'OUTGROW_PARENT_QUARANTINED')
  )
}
