import { FindingCollector, FixCounter } from '../model/collectors.ts'
import type { Finding } from '../model/finding.ts'
import type { FixReport, StepReport } from '../model/report.ts'
import { mustStop, type Run, type RunRequest, type Step } from '../steps/step.ts'

/** A flow is its steps, in order, and what findings do to it. */
export interface Flow<Request extends RunRequest = RunRequest> {
  steps: readonly (Step<unknown, Request> | Fork<Request>)[]
  /** `stop` unless the options say otherwise; or go through to the end, whatever is found. */
  onFindings: 'stop' | 'report'
}

/** A place where another flow may take the place of the rest. */
interface Fork<Request extends RunRequest> {
  when(run: Run<Request>): boolean
  then: Flow<Request>
}

/** What all steps of a flow came to. */
export interface FlowResult<Request extends RunRequest = RunRequest> {
  run: Run<Request>
  findings: Finding[]
  fixes: FixReport[]
  steps: StepReport[]
}

/** Findings that nothing resolves ended the flow. What its steps had made is taken back. */
export class StoppedByFindings extends Error {
  readonly result: FlowResult

  constructor(result: FlowResult) {
    super('findings ended the flow')
    this.result = result
  }
}

/**
 * Runs a flow. Outcomes are recorded as they come; this is the one place that decides to go on or to stop.
 * @param whenDone reads the result while what the steps opened is still open
 * @throws StoppedByFindings, and whatever ends a step
 */
export async function runFlow<Request extends RunRequest, Result>(
  flow: Flow<Request>,
  request: Request,
  whenDone: (result: FlowResult<Request>) => Promise<Result> | Result,
): Promise<Result> {
  const running = new RunningFlow(request)
  try {
    const isStopped = await running.go(flow)
    const result = running.result
    if (!isStopped) return await whenDone(result)
    await running.takeBack()
    throw new StoppedByFindings(result)
  } catch (error) {
    throw running.explained(error)
  } finally {
    await running.close()
  }
}

class RunningFlow<Request extends RunRequest> {
  readonly #request: Request
  readonly #values = new Map<unknown, unknown>()
  readonly #findings = new FindingCollector()
  readonly #fixes = new FixCounter()
  readonly #steps: StepReport[] = []
  readonly #closers: (() => PromiseLike<void> | void)[] = []
  readonly #undos: (() => Promise<void>)[] = []
  readonly #translators: ((error: unknown) => unknown)[] = []

  constructor(request: Request) {
    this.#request = request
  }

  /** Runs the steps in order. Returns whether findings stopped it. */
  async go({ steps, onFindings }: Flow<Request>): Promise<boolean> {
    const mustEnd = () => onFindings === 'stop' && mustStop(this.#findings.findings, this.#request.options)
    const isStep = (one: Flow<Request>['steps'][number]) => 'run' in one
    const begun = steps.map((one) => ('run' in one ? one.begin?.(this.#run) : undefined))
    for (const [at, one] of steps.entries()) {
      if (!('run' in one)) {
        if (one.when(this.#run)) return this.go(one.then)
        continue
      }
      if (mustEnd() && !one.completesFindings) break
      const place = this.#steps.length + 1
      await this.#request.onStep?.(one.title, place, place + steps.slice(at + 1).filter(isStep).length)
      await this.#take(one, begun[at])
    }
    return mustEnd()
  }

  async #take(step: Step<unknown, Request>, begun: unknown): Promise<void> {
    this.#request.signal.throwIfAborted()
    const started = performance.now()
    const outcome = await step.run(this.#run, begun)
    this.#values.set(step, outcome.value)
    this.#findings.merge(outcome.findings ?? [])
    this.#fixes.merge(outcome.fixes ?? [])
    if (outcome.undo) this.#undos.push(outcome.undo)
    const { rows = 0, bytes = 0 } = outcome
    this.#steps.push({ name: step.name, ms: Math.round(performance.now() - started), rows, bytes })
  }

  get result(): FlowResult<Request> {
    const { findings } = this.#findings
    return { run: this.#run, findings, fixes: this.#fixes.fixes, steps: this.#steps }
  }

  async takeBack(): Promise<void> {
    for (const undo of this.#undos.toReversed()) await undo()
  }

  explained(error: unknown): unknown {
    return this.#translators.reduce((known, translate) => translate(known), error)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close()
  }

  /** The run as steps see it. */
  get #run(): Run<Request> {
    const { findings } = this.#findings
    const { fixes } = this.#fixes
    return {
      request: this.#request,
      findings,
      fixes,
      steps: this.#steps,
      of: (step) => {
        if (!this.#values.has(step)) throw new Error(`the flow has no step ${step.name} before this one`)
        return this.#values.get(step) as never
      },
      maybe: (step) => this.#values.get(step) as never,
      defer: (close) => this.#closers.push(close),
      explain: (translate) => this.#translators.push(translate),
    }
  }
}
