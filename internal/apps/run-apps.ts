import { resolve } from 'node:path'
import { Failure } from '@outgrow/kit'
import type { Terminal } from 'outgrow/output/terminal'
import { AppProcess, type AppOptions } from './app-process.ts'
import { watchSources } from './watch-sources.ts'

const root = resolve(import.meta.dirname, '../..')

export interface Ports {
  web: number
  worker: number
  console: number
  /** Of the web app’s metrics; the worker’s are on its own port. */
  webMetrics: number
}

/** Web, worker and console, a stand-in for Stripe, and the metrics of the web app, from the first port on. */
export function portsFrom(first: number): Ports {
  return { web: first, worker: first + 1, console: first + 2, webMetrics: first + 4 }
}

export interface RunRequest {
  form: AppOptions['form']
  /** What all apps are given. */
  env: Record<string, string>
  ports: Ports
  /** Opens the console. */
  consoleToken: string
  terminal: Terminal
  signal: AbortSignal
}

/**
 * Runs web, worker and console until the signal aborts, and stops them all, whatever happens. Those that run from
 * their sources start again when these change.
 * @throws Failure OUTGROW_APP_ENDED when one does not start, or a built one ends by itself
 */
export async function runApps(request: RunRequest, onReady: () => void): Promise<void> {
  const { form, env, ports, consoleToken, terminal, signal } = request
  const start = (name: AppOptions['name'], own: Record<string, string> = {}) =>
    new AppProcess({ name, form, terminal, env: { ...env, PORT: String(ports[name]), ...own } })
  // HOST opens the web app alone: what operators see is opened by names of its own.
  const { WORKER_HOST = '127.0.0.1', CONSOLE_HOST = '127.0.0.1' } = process.env
  const apps = [
    start('web', { METRICS_PORT: String(ports.webMetrics) }),
    start('worker', { HOST: WORKER_HOST }),
    start('console', { HOST: CONSOLE_HOST, CONSOLE_TOKEN: consoleToken }),
  ]
  const [web, worker, console] = apps as [AppProcess, AppProcess, AppProcess]
  const named = { web, worker, console }
  const restart = (changed: string | null) => {
    for (const [name, app] of Object.entries(named)) if (changed === null || changed === name) app.restart()
  }
  const stopped = new Promise<void>((done) => signal.addEventListener('abort', () => done()))
  const onGone = (reason: string) => terminal.line(`A change is not seen any more in ${reason}`)
  try {
    using _ = form === 'source' ? watchSources(root, restart, onGone) : undefined
    await Promise.all([
      web.isReady(`http://127.0.0.1:${ports.web}/health`, signal),
      worker.isReady(`http://127.0.0.1:${ports.worker}/health`, signal),
      console.isReady(`http://127.0.0.1:${ports.console}/`, signal),
    ])
    onReady()
    await Promise.race([stopped, ...apps.map((app) => app.ended)])
    if (signal.aborted) return
    throw new Failure({
      code: 'OUTGROW_APP_ENDED',
      message: 'One of the apps stopped unexpectedly; the others were stopped too.',
      fix: 'Its last output shows why.',
    })
  } finally {
    await Promise.all(apps.map((app) => app.stop()))
  }
}

/** A `file:` URL means the same in every app's folder only when its path is absolute. */
export function absoluteUrl(url: string): string {
  return /^file:(?!\/)/i.test(url) ? `file:${resolve(url.slice('file:'.length))}` : url
}
