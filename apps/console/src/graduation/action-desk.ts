import { Failure, messageOf } from '@outgrow/kit'
import type { Finding } from '@outgrow/graduate'
import type { Logger } from 'pino'
import { actions, type ActionName, type ActionRequest } from './actions.ts'

/** An action from its beginning on. */
export interface Started {
  name: ActionName
  /** ISO 8601. */
  at: string
  /** Entries of the log that are still to be applied; null before they were counted. */
  lag: number | null
  /** Undefined while it runs. */
  end: Ended | undefined
}

type Ended =
  | { ok: true; text: string; findings: Finding[]; notes: string[] }
  | { ok: false; code: string | null; message: string; why: string | null; fix: string | null }

/** Runs one action at a time, in this process, and keeps what came of the last one. */
export class ActionDesk {
  /** The one that runs, or else the last one. */
  latest: Started | undefined
  readonly #log: Logger
  readonly #onChange: () => void

  constructor(log: Logger, onChange: () => void) {
    this.#log = log
    this.#onChange = onChange
  }

  get isBusy(): boolean {
    return this.latest !== undefined && this.latest.end === undefined
  }

  /** Begins it, unless another one runs; it goes on by itself. */
  start(name: ActionName, request: Omit<ActionRequest, 'onLag'>): boolean {
    if (this.isBusy) return false
    const started: Started = { name, at: new Date().toISOString(), lag: null, end: undefined }
    this.latest = started
    this.#onChange()
    void this.#run(started, request)
    return true
  }

  async #run(started: Started, request: Omit<ActionRequest, 'onLag'>): Promise<void> {
    const { run, outcome } = actions[started.name]
    const log = { action: started.name }
    const onLag = (entries: number) => {
      started.lag = entries
      this.#onChange()
    }
    try {
      const report = await run({ ...request, onLag })
      const { findings, notes } = report
      started.end = { ok: true, text: outcome(report), findings, notes }
      this.#log.info({ ...log, pauses: report.pauses }, 'graduation changed')
    } catch (error) {
      started.end = ended(error)
      if (error instanceof Failure) this.#log.warn({ ...log, code: error.code }, error.message)
      else this.#log.error({ ...log, stack: error instanceof Error ? error.stack : undefined }, 'failed')
    }
    this.#onChange()
  }
}

function ended(error: unknown): Ended {
  if (!(error instanceof Failure))
    return { ok: false, code: null, message: messageOf(error), why: null, fix: null }
  const { code, message, why = null, fix = null } = error
  return { ok: false, code, message, why, fix }
}
