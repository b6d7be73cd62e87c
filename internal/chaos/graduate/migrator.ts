import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { GraduationReport } from '@outgrow/graduate'
import { variantOptions, type Variant } from './variants.ts'
import { processState } from './process-state.ts'

const bin = join(import.meta.dirname, '../../../scripts/bin/outgrow.mjs')

/** How a command ended. */
export interface CommandEnded {
  args: string[]
  code: number | null
  signal: NodeJS.Signals | null
  output: string
  /** Undefined where it was killed before it printed one. */
  report: GraduationReport | undefined
}

export interface StartedCommand {
  child: ChildProcess
  ended: Promise<CommandEnded>
  /** Whether it has printed that, while it runs. */
  hasPrinted(text: string): boolean
  /** Whether it stands still after SIGSTOP. */
  readonly isStopped: boolean
}

export interface CommandOptions {
  env?: NodeJS.ProcessEnv
  cwd: string
  /** No file that it writes may become larger. */
  maxFileKilobytes?: number | undefined
  variant?: Variant | undefined
}

/** Starts the real command line. */
export function startCommand(args: string[], options: CommandOptions): StartedCommand {
  const { env = {}, cwd, maxFileKilobytes, variant } = options
  const { execArgv, env: variantEnv } = variantOptions(variant)
  const command = [process.execPath, ...execArgv, bin, ...args, '--json']
  const [file, rest] =
    maxFileKilobytes === undefined
      ? [command[0] as string, command.slice(1)]
      : ['bash', ['-c', `ulimit -f ${maxFileKilobytes}; exec "$@"`, 'bash', ...command]]
  const child = spawn(file, rest, {
    cwd,
    env: { ...variantEnv, DATABASE_URL: '', POSTGRES_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (printed[stream] += text))
  const ended = once(child, 'close').then((): CommandEnded => {
    let report: GraduationReport | undefined
    try {
      report = JSON.parse(printed.stdout) as GraduationReport
    } catch {
      report = undefined // it was killed before it printed all of it
    }
    return {
      args,
      code: child.exitCode,
      signal: child.signalCode,
      output: `${printed.stdout}${printed.stderr}`.slice(-3000),
      report,
    }
  })
  return {
    child,
    ended,
    hasPrinted: (text) => printed.stderr.includes(text),
    get isStopped() {
      return processState(child.pid ?? 0)?.state === 'T'
    },
  }
}
