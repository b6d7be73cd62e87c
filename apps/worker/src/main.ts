import { serve } from '@hono/node-server'
import { openStripe, prismaStore, runWorker } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { Failure, failureText, messageOf } from '@outgrow/kit'
import { answerMetrics, startTracing } from '@outgrow/operations/monitoring'
import { recordSigns } from '@outgrow/signs'
import { Hono } from 'hono'
import { pino } from 'pino'
import { workerEnv } from './env.ts'
import { workerMetrics } from './metrics.ts'
import { sendMails } from './send-mail.ts'

await start().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(failureText(error))
  process.exitCode = 2
})

async function start(): Promise<void> {
  const env = workerEnv()
  const log = pino({ name: 'worker', level: env.LOG_LEVEL })
  const tracing = await startTracing('worker')
  const stripe = openStripe()
  const database = await openDatabase(env.DATABASE_URL)
  const store = prismaStore(database)
  const metrics = workerMetrics({ env, database, store, log })
  const signs = recordSigns({
    url: () => database.url,
    counters: database.counters,
    directory: env.SIGNS_DIR,
    process: 'worker',
    onError: (error) => log.warn({ error: messageOf(error) }, 'signs cannot be recorded'),
  })
  const stop = new AbortController()
  const app = new Hono()
  app.get('/health', async (context) => {
    if (stop.signal.aborted) return context.json({ ok: false, stopping: true }, 503)
    await database.client.$queryRaw`SELECT 1`
    return context.json({ ok: true, database: database.provider })
  })
  app.get('/metrics', (context) => answerMetrics(context.req.raw, metrics, env.METRICS_TOKEN))
  const server = serve({ fetch: app.fetch, hostname: env.HOST, port: env.PORT })
  // disconnect: whoever started it is gone.
  for (const name of ['SIGINT', 'SIGTERM', 'disconnect'] as const) {
    process.once(name as NodeJS.Signals, () => {
      log.info({ signal: name }, 'finishing work in progress')
      stop.abort()
      if (process.connected) process.disconnect() // an open channel would keep the process
    })
  }
  const { send, close } = sendMails({
    smtpUrl: env.SMTP_URL,
    from: env.MAIL_FROM,
    store,
    log,
    stripe,
    apiBase: env.STRIPE_API_BASE,
  })
  log.info({ database: database.provider, port: env.PORT }, 'working')
  try {
    const totals = await runWorker({
      store,
      stripe,
      send,
      concurrency: env.CONCURRENCY,
      stripeCallsPerSecond: env.STRIPE_CALLS_PER_SECOND,
      signal: stop.signal,
      onUnavailable: (error) =>
        log.warn({ error: messageOf(error).split('\n').at(-1) }, 'the database is unavailable'),
      onOutcome: (outcome, id) => {
        metrics.outcomes.inc({ outcome })
        const level =
          outcome === 'dead' ? 'error' : outcome === 'failed' || outcome === 'unsent' ? 'warn' : 'info'
        log[level]({ outcome, id }, 'processed')
      },
    })
    log.info(totals, 'stopped')
  } finally {
    close()
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
    signs.stop()
    await database.close()
    await tracing?.stop()
  }
}
