import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { exit, Failure } from '@outgrow/kit'
import { absoluteUrl, portsFrom, runApps } from './run-apps.ts'
import { databaseUrl } from 'outgrow/billing/context'
import type { Outcome } from 'outgrow/output/outcome'
import type { CommandContext } from 'outgrow/output/run'
import { portOf, refuseTakenPorts } from './port.ts'
import { stateDirectory } from '@outgrow/databases'

export interface StartOptions {
  port: string
  workDir: string
  json?: boolean
}

const root = resolve(import.meta.dirname, '../..')

/** The built apps, with the environment's own settings. */
export async function start(options: StartOptions, { terminal, signal }: CommandContext): Promise<Outcome> {
  for (const name of ['web', 'worker', 'console']) {
    if (existsSync(join(root, 'apps', name, 'dist/main.js'))) continue
    throw new Failure({
      code: 'OUTGROW_NOT_BUILT',
      message: `The ${name} is not built.`,
      fix: 'Run pnpm build.',
    })
  }
  const port = portOf(options.port)
  const ports = portsFrom(port)
  await refuseTakenPorts(Object.values(ports))
  const consoleToken = process.env.CONSOLE_TOKEN || randomBytes(24).toString('base64url')
  await runApps(
    {
      form: 'built',
      env: {
        NODE_ENV: 'production',
        DATABASE_URL: absoluteUrl(databaseUrl()),
        SIGNS_DIR: stateDirectory(options.workDir),
        APP_URL: process.env.APP_URL ?? `http://127.0.0.1:${ports.web}`,
      },
      ports,
      consoleToken,
      terminal,
      signal,
    },
    () => {
      terminal.line(`Ready: http://127.0.0.1:${ports.web}. Ctrl-C stops them all.`)
      const { STRIPE_API_BASE: standIn } = process.env
      if (standIn) terminal.line(`Stripe is a stand-in at ${standIn} (STRIPE_API_BASE): no money moves.`)
      const { CONSOLE_TOKEN: known } = process.env
      // A token that was made here is known nowhere else; one that was given stays unsaid.
      terminal.line(
        known
          ? `The console is on port ${ports.console}; its token is CONSOLE_TOKEN.`
          : `The console: http://127.0.0.1:${ports.console}/?token=${consoleToken} (CONSOLE_TOKEN is not set; this token is valid until the process ends)`,
      )
    },
  )
  terminal.line('Stopped.')
  return { command: 'start', ok: true, exitCode: exit.done, error: null }
}
