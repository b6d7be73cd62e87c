import type { ScenarioName } from './scenario-names.ts'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseSqliteSource, stateDirectory } from '@outgrow/databases'
import { exit, Failure } from '@outgrow/kit'
import type { Examination } from '@outgrow/signs'
import { examineDatabase } from 'outgrow/doctor/examine-database'
import { printExamination } from 'outgrow/render/examination'
import type { Outcome } from 'outgrow/output/outcome'
import type { CommandContext } from 'outgrow/output/run'
import { LoadProcesses } from './processes.ts'
import { scenarios } from './scenarios.ts'
import { makeScratch } from './scratch.ts'

export interface LoadOptions {
  scenario: ScenarioName
  from?: string
  seconds: string
  doctor?: boolean
  keep?: boolean
  workDir: string
  json?: boolean
}

export type LoadDocument = Outcome & {
  scenario: string
  path: string | null
  examination: Examination | null
}

/** Strains a scratch copy for a while, and examines it meanwhile where that is asked. */
export async function load(
  options: LoadOptions,
  { terminal, signal }: CommandContext,
): Promise<LoadDocument> {
  const seconds = secondsOf(options.seconds)
  const start = scenarios[options.scenario]
  const from = options.from === undefined ? undefined : parseSqliteSource(options.from).path
  using scratch = await makeScratch(stateDirectory(options.workDir), from, options.keep === true)
  const { path, directory } = scratch
  await using processes = new LoadProcesses(scratch, seconds)
  const enough = new AbortController()
  const over = AbortSignal.any([signal, enough.signal])
  const { begun, end } = await start({ url: `file:${path}`, processes, signal: over })
  begun.catch(() => {}) // awaited below
  terminal.line(`${options.scenario} for ${seconds} s on ${path}`)
  terminal.line(`Examine it with: outgrow doctor --database file:${path} --work-dir ${directory}`)
  let examination: Examination | null = null
  try {
    // Processes take their time to start, more of it under strain: the clock runs from where there is something to see.
    await Promise.race([begun, untilAborted(signal)])
    signal.throwIfAborted()
    if (options.doctor) {
      examination = await examineDatabase({
        url: `file:${path}`,
        windowMs: Math.min(4000, seconds * 300),
        directory,
        signal,
      })
      printExamination(terminal, examination)
    } else await sleep(seconds * 1000, undefined, { signal }).catch(() => {}) // stopped early
    processes.check()
  } finally {
    enough.abort()
    await end()
  }
  signal.throwIfAborted()
  const ok = examination === null || examination.verdict === 'fine'
  return {
    command: 'load',
    ok,
    exitCode: ok ? exit.done : exit.findings,
    scenario: options.scenario,
    path: options.keep ? path : null,
    examination,
    error: null,
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= 1 && seconds <= 3600) return seconds
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--seconds ${text} is not a number between 1 and 3600.`,
    fix: 'For example --seconds 20.',
  })
}
