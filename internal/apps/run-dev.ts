import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { exit, Failure, messageOf, redactUrl } from '@outgrow/kit'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import { absoluteUrl, portsFrom, runApps } from './run-apps.ts'
import { startStandIn } from './stand-in.ts'
import type { Outcome } from 'outgrow/output/outcome'
import type { CommandContext } from 'outgrow/output/run'
import { stateDirectory } from '@outgrow/databases'
import { portOf, refuseTakenPorts } from './port.ts'
import { refuseProduction, refuseRemoteTarget } from './refuse-production.ts'

export interface DevOptions {
  port: string
  database?: string
  workDir: string
  json?: boolean
}

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

const prices = [
  { id: 'price_pro', name: 'Pro', amount: 1900 },
  { id: 'price_team', name: 'Team', amount: 4900 },
]

/** Everything of the example SaaS, from its sources, with seeded data and a stand-in for Stripe. */
export async function dev(options: DevOptions, { terminal, signal }: CommandContext): Promise<Outcome> {
  const first = portOf(options.port)
  const ports = portsFrom(first)
  await refuseTakenPorts([...Object.values(ports), first + 3])
  const directory = stateDirectory(options.workDir)
  const secrets = devSecrets(join(directory, 'dev-secrets.json'))
  const { DATABASE_URL: ignored } = process.env
  if (options.database === undefined && ignored !== undefined && ignored !== '')
    terminal.line('DATABASE_URL is not used: pass --database to develop on another database.')
  delete process.env.SMTP_URL // what is tried out here is mailed to nobody
  const databaseUrl = absoluteUrl(
    options.database ?? `file:${join(stateDirectory(join(directory, 'dev')), 'app.db')}`,
  )
  refuseRemoteTarget(process.env.POSTGRES_URL)
  await refuseProduction(databaseUrl)
  await deployMigrations(readSchemaSource(join(root, 'prisma/schema')), databaseUrl)
  const env = {
    DATABASE_URL: databaseUrl,
    AUTH_SECRET: secrets.auth,
    SIGNS_DIR: directory,
    APP_URL: `http://127.0.0.1:${ports.web}`,
    STRIPE_SECRET_KEY: 'sk_test_dev',
    STRIPE_WEBHOOK_SECRET: 'whsec_dev',
    PRICE_PRO: 'price_pro',
    PRICE_TEAM: 'price_team',
  }
  await seed(env)
  await using stripe = await startStandIn({
    port: first + 3,
    webhookUrl: `${env.APP_URL}/webhooks/stripe`,
    secret: env.STRIPE_WEBHOOK_SECRET,
    prices,
    path: join(directory, 'dev-stripe.bin'),
  })
  const consoleToken = secrets.console
  await runApps(
    {
      form: 'source',
      env: { ...env, STRIPE_API_BASE: stripe.url, LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn' },
      ports,
      consoleToken,
      terminal,
      signal,
    },
    () => {
      terminal.line()
      terminal.line(`  database  ${redactUrl(databaseUrl)}`)
      terminal.line(`  web       ${env.APP_URL}   sign in with demo@example.com, outgrow-demo`)
      terminal.line(`  console   http://127.0.0.1:${ports.console}/?token=${consoleToken}`)
      terminal.line(`  worker    http://127.0.0.1:${ports.worker}/metrics`)
      terminal.line(`  stripe    ${stripe.url}   a stand-in: no money moves`)
      terminal.line('  Ctrl-C stops them all.')
      terminal.line()
    },
  )
  terminal.line('Stopped.')
  return { command: 'dev', ok: true, exitCode: exit.done, error: null }
}

/** @throws Failure OUTGROW_CLIENTS_MISSING, OUTGROW_SEED_FAILED */
async function seed(env: Record<string, string>): Promise<void> {
  try {
    await run(process.execPath, ['apps/web/src/seed.ts'], { cwd: root, env: { ...process.env, ...env } })
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr ?? messageOf(cause)
    if (said.includes('ERR_MODULE_NOT_FOUND')) {
      throw new Failure({
        code: 'OUTGROW_CLIENTS_MISSING',
        message: 'Prisma’s clients are not generated yet.',
        fix: 'Run pnpm dev, which generates them first, or pnpm run clients.',
        cause,
      })
    }
    const line =
      said.split('\n').find((one) => /^\S*(Error|Failure)\b/.test(one)) ?? said.trim().split('\n').at(-1)
    throw new Failure({
      code: 'OUTGROW_SEED_FAILED',
      message: `The database could not be seeded: ${line ?? ''}`,
      fix: 'Correct apps/web/src/seed.ts, or start with another --work-dir.',
      cause,
    })
  }
}

/** Secrets of this machine's development alone, the same at every start so that sessions and addresses stay. */
function devSecrets(path: string): { auth: string; console: string } {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as { auth: string; console: string }
  const secret = () => randomBytes(32).toString('base64url')
  const secrets = { auth: secret(), console: secret() }
  writeFileSync(path, JSON.stringify(secrets), { mode: 0o600 })
  return secrets
}
