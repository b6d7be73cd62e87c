import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { parseSqliteSource } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Examination } from '@outgrow/signs'
import { examineDatabase } from '../doctor/examine-database.ts'
import { tellExamination } from '../doctor/tell.ts'
import { LoadProcesses } from '../load/processes.ts'
import { scenarios, type Scenario } from '../load/scenarios.ts'
import { makeScratch } from '../load/scratch.ts'
import { exit } from '../output/exit.ts'
import { runCommand, type CommandContext, type Outcome } from '../output/run.ts'
import { stateDirectory } from '../state-directory.ts'

interface Options {
  scenario: string
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

export const loadCommand = new Command('load')
  .summary('strain a scratch copy, to see each warning sign for real')
  .description(
    `Strains a scratch copy of a database with processes of its own, so that doctor and the console have something to find. The original is only read.

Scenarios:
${Object.entries(scenarios)
  .map(([name, { about }]) => `  ${name.padEnd(20)} ${about}`)
  .join('\n')}`,
  )
  .addOption(
    new Option('--scenario <name>', 'what to do to it').choices(Object.keys(scenarios)).makeOptionMandatory(),
  )
  .option('--from <file>', 'SQLite file to copy (default: an empty database of the product’s own schema)')
  .option('--seconds <n>', 'how long', '20')
  .option('--doctor', 'examine the copy while it is strained')
  .option('--keep', 'keep the copy and what its processes counted')
  .option('--work-dir <folder>', 'where scratch copies are made', '.outgrow')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  outgrow load --scenario concurrent-writers --doctor
  outgrow load --scenario long-reader --from app.db --seconds 60
  outgrow load --scenario checkout-burst --keep --json

Exit status: 0 done, 4 with --doctor when it found signs.`,
  )
  .action((options: Options) =>
    runCommand<LoadDocument>(
      options.json ?? false,
      { command: 'load', scenario: options.scenario, path: null, examination: null },
      (context) => load(options, context),
    ),
  )

async function load(options: Options, { terminal, signal }: CommandContext): Promise<LoadDocument> {
  const seconds = secondsOf(options.seconds)
  const scenario = scenarios[options.scenario] as Scenario
  const from = options.from === undefined ? undefined : parseSqliteSource(options.from).path
  using scratch = await makeScratch(stateDirectory(options.workDir), from, options.keep === true)
  const { path, directory } = scratch
  await using processes = new LoadProcesses(scratch, seconds)
  const enough = new AbortController()
  const over = AbortSignal.any([signal, enough.signal, AbortSignal.timeout(seconds * 1000)])
  const ended = await scenario.start({ url: `file:${path}`, processes, signal: over })
  terminal.line(`${options.scenario} for ${seconds} s on ${path}`)
  terminal.line(`Look at it with: outgrow doctor --database file:${path} --work-dir ${directory}`)
  let examination: Examination | null = null
  try {
    if (options.doctor) {
      // Something must have been counted before it can be judged.
      await sleep(Math.min(4000, seconds * 300), undefined, { signal })
      examination = await examineDatabase({
        url: `file:${path}`,
        windowMs: Math.min(4000, seconds * 300),
        directory,
        signal,
      })
      tellExamination(terminal, examination)
    } else await untilAborted(over)
    processes.check()
  } finally {
    enough.abort()
    await ended()
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
    message: `--seconds ${text} is no number between 1 and 3600.`,
    fix: 'For example --seconds 20.',
  })
}
