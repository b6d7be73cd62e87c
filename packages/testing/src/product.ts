import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ending } from './process.ts'
import { deliverTo, serveStripeFake, type DeliveryOptions, type StripeFake } from '@outgrow/stripe-fake'

const root = join(import.meta.dirname, '../../..')

/** A stand-in that delivers to the web app on a port, until it is disposed of. */
export interface TestStripe extends AsyncDisposable {
  fake: StripeFake
  url: string
}

export async function startStripe(
  webPort: number,
  how: Omit<DeliveryOptions, 'url' | 'signal'> = {},
): Promise<TestStripe> {
  const stop = new AbortController()
  const server = await serveStripeFake({ webhookSecret: 'whsec_browser', now: Math.floor(Date.now() / 1000) })
  server.fake.addPrice({ id: 'price_pro', name: 'Pro', amount: 1900 })
  server.fake.addPrice({ id: 'price_team', name: 'Team', amount: 4900 })
  const url = `http://127.0.0.1:${webPort}/webhooks/stripe`
  const delivering = deliverTo(server.fake.deliveries, { ...how, url, signal: stop.signal })
  return {
    fake: server.fake,
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await delivering
      await server[Symbol.asyncDispose]()
    },
  }
}

export interface Product extends AsyncDisposable {
  url: string
  consoleUrl: string
  workerUrl: string
  /** Where the metrics of the web app are. */
  webMetricsUrl: string
  /** Everything that the apps printed. */
  output(): string
}

export interface ProductRequest {
  databaseUrl: string
  port: number
  stripeUrl: string
  workDirectory: string
  logLevel?: 'info' | 'warn'
  /** Where it can graduate to while it runs. */
  postgresUrl?: string
  /** More of what the apps are told. */
  env?: Record<string, string>
}

/** The three apps as they were built, started by the command line. Disposing stops them as Ctrl-C would. */
export async function startProduct(request: ProductRequest): Promise<Product> {
  const {
    databaseUrl,
    port,
    stripeUrl,
    workDirectory,
    logLevel = 'info',
    postgresUrl = '',
    env = {},
  } = request
  const child = spawn(
    process.execPath,
    [join(root, 'internal/main.ts'), 'start', '--port', String(port), '--work-dir', workDirectory],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        DATABASE_URL: databaseUrl,
        POSTGRES_URL: postgresUrl,
        DIRECT_URL: '',
        APP_URL: `http://127.0.0.1:${port}`,
        AUTH_SECRET: 'a secret of the browser tests, long enough',
        STRIPE_SECRET_KEY: 'sk_test_browser',
        STRIPE_API_BASE: stripeUrl,
        STRIPE_WEBHOOK_SECRET: 'whsec_browser',
        PRICE_PRO: 'price_pro',
        PRICE_TEAM: 'price_team',
        CONSOLE_TOKEN: 'token-of-the-browser-tests',
        LOG_LEVEL: logLevel,
        ...env,
      },
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  await ready(child, () => output)
  return {
    url: `http://127.0.0.1:${port}`,
    workerUrl: `http://127.0.0.1:${port + 1}`,
    webMetricsUrl: `http://127.0.0.1:${port + 4}`,
    consoleUrl: `http://127.0.0.1:${port + 2}/?token=token-of-the-browser-tests`,
    output: () => output,
    ...ending(child),
  }
}

async function ready(child: ChildProcess, output: () => string): Promise<void> {
  while (!output().includes('Ready: ')) {
    if (child.exitCode !== null) throw new Error(`the apps did not start:\n${output()}`)
    await sleep(50)
  }
}
