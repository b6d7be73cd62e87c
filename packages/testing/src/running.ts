import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { ending } from './process.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '../../..')

export interface Running extends AsyncDisposable {
  child: ChildProcess
  /** Everything that it printed. */
  output(): string
}

/** Runs a program until the test ends it, from when `isReady`. */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; isReady: () => Promise<boolean> },
): Promise<Running> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${command} ended:\n${output}`)
    return options.isReady().catch(() => false)
  })
  return { child, output: () => output, ...ending(child) }
}

/** One of the apps as it was built. */
export function startApp(
  name: 'web' | 'worker',
  port: number,
  env: Record<string, string>,
): Promise<Running> {
  return run(process.execPath, ['dist/main.js'], {
    cwd: join(root, 'apps', name),
    env: { PORT: String(port), ...env },
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok,
  })
}
