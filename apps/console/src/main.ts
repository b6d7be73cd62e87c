import { resolve } from 'node:path'
import { serve } from '@hono/node-server'
import { openStripe, prismaStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { Failure, failureText } from '@outgrow/kit'
import { SignStore } from '@outgrow/signs'
import { pino } from 'pino'
import { createConsole } from './app.tsx'
import { consoleEnv } from './env.ts'
import { ActionDesk } from './graduation/action-desk.ts'
import { endsOf } from './graduation/ends.ts'
import { Live } from './live.ts'
import type { Services } from './services.ts'
import { publishAction, publishGraduation, watchGraduation } from './watchers/watch-graduation.tsx'
import { watchInbox } from './watchers/watch-inbox.tsx'
import { watchRuns } from './watchers/watch-runs.tsx'
import { watchSigns } from './watchers/watch-signs.tsx'

await start().catch((error: unknown) => {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(failureText(error))
  process.exitCode = 2
})

async function start(): Promise<void> {
  const env = consoleEnv()
  const log = pino({ name: 'console', level: env.LOG_LEVEL })
  const database = await openDatabase(env.DATABASE_URL)
  const stop = new AbortController()
  const services: Services = {
    database,
    billing: prismaStore(database),
    store: new SignStore(env.SIGNS_DIR),
    live: new Live(),
    runsDirectory: resolve(env.SIGNS_DIR, 'runs'),
    workDirectory: env.SIGNS_DIR,
    ends: endsOf(env),
    desk: new ActionDesk(log, () => {
      publishAction(services)
      if (!services.desk.isBusy) void publishGraduation(services)
    }),
    stop: stop.signal,
    stripe: env.STRIPE_SECRET_KEY === undefined ? undefined : openStripe(),
    token: env.CONSOLE_TOKEN,
    hosts: new Set([
      '127.0.0.1',
      'localhost',
      '[::1]',
      ...env.CONSOLE_HOSTS.toLowerCase()
        .split(',')
        .map((host) => host.trim())
        .filter(Boolean),
    ]),
    log,
  }
  const watching = [
    watchSigns(services, stop.signal),
    watchInbox(services, stop.signal),
    watchGraduation(services, stop.signal),
  ]
  watchRuns(services, stop.signal)
  const server = serve(
    { fetch: createConsole(services).fetch, hostname: env.HOST, port: env.PORT },
    ({ port }) => {
      // Whoever set a token knows it, and the log need not.
      const token = process.env.CONSOLE_TOKEN === undefined ? `?token=${env.CONSOLE_TOKEN}` : ''
      process.stdout.write(`Console: http://127.0.0.1:${port}/${token}\n`)
    },
  )
  const end = async () => {
    if (stop.signal.aborted) return
    stop.abort()
    if (process.connected) process.disconnect() // an open channel would keep the process
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections() // streams never end by themselves
    await Promise.allSettled(watching)
    services.store[Symbol.dispose]()
    await database.close()
  }
  process.once('SIGINT', () => void end())
  process.once('SIGTERM', () => void end())
  process.once('disconnect', () => void end()) // whoever started it is gone
}
