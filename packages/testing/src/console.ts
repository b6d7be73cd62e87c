import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ending } from './process.ts'
import { freePorts } from './product.ts'

const root = join(import.meta.dirname, '../../..')
export const consoleToken = 'token-of-the-browser-tests'

export interface RunningConsole extends AsyncDisposable {
  /** Without a path. */
  url: string
  /** Where a browser gets its cookie. */
  entrance: string
}

/** The console as it was built, over any database, until it is disposed of. */
export async function startConsole(
  databaseUrl: string,
  workDirectory: string,
  env: Record<string, string> = {},
): Promise<RunningConsole> {
  const port = await freePorts()
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: join(root, 'apps/console'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      POSTGRES_URL: '',
      SIGNS_DIR: workDirectory,
      PORT: String(port),
      CONSOLE_TOKEN: consoleToken,
      ...env,
    },
  })
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the console ended with ${code}`)),
  )
  await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => {}) // later it is ended by the test
  const url = `http://127.0.0.1:${port}`
  return { url, entrance: `${url}/?token=${consoleToken}`, ...ending(child) }
}
