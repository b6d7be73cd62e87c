import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ending } from './process.ts'
import type { Page } from './browser.ts'
import { freePorts } from './ports.ts'

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
      DIRECT_URL: '',
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

/** Waits until the open page shows a state of the graduation, by itself. */
export function shows(page: Page, state: string): Promise<void> {
  return page.locator('#graduation-status [aria-current=step]').getByText(state, { exact: true }).waitFor()
}

/** Types a confirmation and presses the button of an action. */
export async function act(page: Page, title: string, typed: string): Promise<void> {
  const form = page.getByRole('form', { name: title, exact: true })
  await form.getByRole('textbox').fill(typed)
  await form.getByRole('button').click()
}

/**
 * Waits until the latest action, which is this one, has ended.
 * @throws Error with what the page shows where it is something else
 */
export async function comesTo(page: Page, title: string, text: RegExp): Promise<void> {
  const ended = page.getByRole('region', { name: new RegExp(`^${title} (is done|failed)$`) })
  const shown = await ended.innerText()
  if (!text.test(shown)) throw new Error(`${title} came to: ${shown}`)
}
