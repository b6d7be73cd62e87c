import { serve } from '@hono/node-server'
import { checkPlans, openStripe, syncPlans } from '@outgrow/billing'
import { openDatabase } from '@outgrow/client'
import { Failure, failureText } from '@outgrow/kit'
import { recordSigns } from '@outgrow/signs'
import { pino } from 'pino'
import { createApp } from './app.tsx'
import { createAuth } from './auth.ts'
import { webEnv } from './env.ts'
import { plansOf } from './plans.ts'

await start().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(failureText(error))
  process.exitCode = 2
})

async function start(): Promise<void> {
  const env = webEnv()
  const log = pino({ name: 'web', level: env.LOG_LEVEL })
  const stripe = openStripe()
  const plans = plansOf({ pro: env.PRICE_PRO, team: env.PRICE_TEAM })
  await checkPlans(stripe, plans)
  const database = await openDatabase(env.DATABASE_URL)
  await syncPlans(database, plans)
  const appUrl = env.APP_URL.replace(/\/$/, '')
  const app = createApp({
    database,
    stripe,
    auth: createAuth(database, { secret: env.AUTH_SECRET, appUrl }),
    plans,
    appUrl,
    webhookSecrets: env.STRIPE_WEBHOOK_SECRET.split(','),
    stripeOrigins:
      env.STRIPE_API_BASE === undefined
        ? ['https://checkout.stripe.com', 'https://billing.stripe.com']
        : [new URL(env.STRIPE_API_BASE).origin],
    addressHeader: env.ADDRESS_HEADER,
    log,
  })
  const signs = recordSigns({
    url: env.DATABASE_URL,
    counters: database.counters,
    directory: env.SIGNS_DIR,
    process: 'web',
  })
  const server = serve({ fetch: app.fetch, hostname: env.HOST, port: env.PORT }, () =>
    log.info({ url: appUrl, database: database.provider }, 'listening'),
  )
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping')
    server.close(() => {
      void signs.stop().then(() => database.close())
    })
    if ('closeIdleConnections' in server) server.closeIdleConnections()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
