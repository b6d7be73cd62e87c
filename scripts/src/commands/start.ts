import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { Failure } from '@outgrow/kit'
import { absoluteUrl, runApps } from '../apps/run-apps.ts'
import { databaseUrl } from '../billing-context.ts'
import { exit } from '../output/exit.ts'
import { runCommand, type CommandContext, type Outcome } from '../output/run.ts'
import { portOf, refuseTakenPorts } from '../port.ts'
import { stateDirectory } from '../state-directory.ts'

interface Options {
  port: string
  workDir: string
  json?: boolean
}

const root = resolve(import.meta.dirname, '../../..')

export const startCommand = new Command('start')
  .summary('the built web, worker and console, with the environment’s own settings')
  .description(
    'Starts the production form of the three apps, which pnpm build makes, and stops them all on Ctrl-C or SIGTERM. Apply migrations before: outgrow schema deploy.',
  )
  .option('--port <n>', 'port of the web app; worker and console follow', '3000')
  .option('--work-dir <folder>', 'where signs and runs are kept', '.outgrow')
  .option('--json', 'print one JSON document on stdout at the end')
  .addHelpText(
    'after',
    `
Example:
  pnpm build && outgrow start --port 8080

Reads DATABASE_URL, APP_URL, AUTH_SECRET, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, PRICE_PRO, PRICE_TEAM, SMTP_URL and CONSOLE_TOKEN from the environment or .env.`,
  )
  .action((options: Options) =>
    runCommand<Outcome>(options.json ?? false, { command: 'start' }, (context) => start(options, context)),
  )

async function start(options: Options, { terminal, signal }: CommandContext): Promise<Outcome> {
  for (const name of ['web', 'worker', 'console']) {
    if (existsSync(join(root, 'apps', name, 'dist/main.js'))) continue
    throw new Failure({
      code: 'OUTGROW_NOT_BUILT',
      message: `The ${name} is not built.`,
      fix: 'Run pnpm build.',
    })
  }
  const port = portOf(options.port)
  await refuseTakenPorts([port, port + 1, port + 2])
  const ports = { web: port, worker: port + 1, console: port + 2 }
  const consoleToken = process.env.CONSOLE_TOKEN ?? randomBytes(24).toString('base64url')
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
    () => terminal.line(`Ready: http://127.0.0.1:${ports.web}. Ctrl-C stops them all.`),
  )
  terminal.line('Stopped.')
  return { command: 'start', ok: true, exitCode: exit.done, error: null }
}
