import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import { checkPlans, openStripe, prismaStore, syncPlans, type PlanConfig } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { Failure, failureText, messageOf } from '@outgrow/kit'
import { startTracing } from '@outgrow/operations/monitoring'
import { recordSigns } from '@outgrow/signs'
import { pino, type Logger } from 'pino'
import { createApp } from './app.tsx'
import { createAuth } from './auth.ts'
import { webEnv } from './env.ts'
import { serveMetrics, webMetrics } from './metrics.ts'
import type { Services } from './services.ts'
import { plansOf } from './plans.ts'

/** What is under way when it is told to stop is answered within this time. */
const lastRequestMs = 5000

await start().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(failureText(error))
  process.exitCode = 2
})

async function start(): Promise<void> {
  const env = webEnv()
  const log = pino({ name: 'web', level: env.LOG_LEVEL })
  const tracing = await startTracing('web')
  const stripe = openStripe()
  const plans = plansOf({ pro: env.PRICE_PRO, team: env.PRICE_TEAM })
  await checkPrices(stripe, plans, log)
  const database = await openDatabase(env.DATABASE_URL)
  const store = prismaStore(database)
  await syncPlans(store, plans)
  const appUrl = env.APP_URL.replace(/\/$/, '')
  const metrics = webMetrics({ env, database, log })
  const app = createApp({
    database,
    store,
    stripe,
    auth: createAuth(database, { secret: env.AUTH_SECRET, appUrl }),
    plans,
    appUrl,
    webhookSecrets: env.STRIPE_WEBHOOK_SECRET.split(','),
    stripeApiBase: env.STRIPE_API_BASE,
    stripeOrigins:
      env.STRIPE_API_BASE === undefined
        ? ['https://checkout.stripe.com', 'https://billing.stripe.com']
        : [new URL(env.STRIPE_API_BASE).origin],
    addressHeader: env.ADDRESS_HEADER,
    requests: metrics.requests,
    tracing,
    log,
  })
  const signs = recordSigns({
    url: () => database.url,
    counters: database.counters,
    directory: env.SIGNS_DIR,
    process: 'web',
    onError: (error) => log.warn({ error: messageOf(error) }, 'signs cannot be recorded'),
  })
  const server = serve({ fetch: app.fetch, hostname: env.HOST, port: env.PORT }, () =>
    log.info({ url: appUrl, database: database.provider }, 'listening'),
  ) as Server
  const metricsServer = serveMetrics(metrics, { env, log })
  const end = async () => {
    await database.close()
    await tracing?.stop()
  }
  let isStopping = false
  const stop = (signal: string) => {
    if (isStopping) return
    isStopping = true
    if (process.connected) process.disconnect() // an open channel would keep the process
    log.info({ signal }, 'stopping')
    server.close(() => {
      signs.stop()
      void end()
    })
    server.closeIdleConnections()
    metricsServer.close()
    metricsServer.closeAllConnections()
    // A browser may hold a connection open on which it never asked anything.
    setTimeout(() => server.closeAllConnections(), lastRequestMs).unref()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop)
  process.once('disconnect', () => stop('disconnect')) // whoever started it is gone
}

/**
 * Holds the plans against Stripe's prices. While Stripe cannot be reached the application starts all the same.
 * @throws Failure OUTGROW_PLANS_DIFFER
 */
async function checkPrices(stripe: Services['stripe'], plans: PlanConfig, log: Logger): Promise<void> {
  try {
    await checkPlans(stripe, plans)
  } catch (error) {
    if ((error as { type?: string }).type !== 'StripeConnectionError') throw error
    log.warn('Stripe cannot be reached: the plans were not checked against its prices')
  }
}
