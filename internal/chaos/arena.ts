import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { definePlans, openStripe, prismaStore, syncPlans } from '@outgrow/billing'
import { openDatabase, type Database } from '@outgrow/db'
import { startEmbeddedPostgres } from '@outgrow/databases'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import type { Backend } from '@outgrow/testing'
import { makePooledDatabase } from '@outgrow/testing/pooler'
import { serveOnLoopback, StripeFake } from '@outgrow/stripe-fake'
import type { Stripe } from 'stripe'
import type { Variant } from './variants.ts'

export const plans = definePlans({
  plans: [
    {
      id: 'pro',
      name: 'Pro',
      priceId: 'price_pro',
      amount: 1900,
      currency: 'usd',
      features: { api: true, seats: 3 },
    },
    {
      id: 'team',
      name: 'Team',
      priceId: 'price_team',
      amount: 4900,
      currency: 'usd',
      features: { api: true, seats: 10 },
    },
  ],
})

export const secret = 'whsec_chaos'

/** One database, a stand-in for Stripe that is replaced each run, and worker processes that are killed on the way. */
export interface Arena {
  database: Database
  stripe: Stripe
  fake: StripeFake
  /** Begins a run with a Stripe of its own. */
  renew(namespace: string): StripeFake
  /** Keys that were sent, in their order. */
  sent: string[]
  /** Ends a worker at once, wherever it is, and starts another. */
  kill(at: number): void
  kills: number
  close(): Promise<void>
}

export async function openArena(backend: Backend, variant: Variant, chance: () => number): Promise<Arena> {
  const state = join(import.meta.dirname, '../../.outgrow')
  mkdirSync(state, { recursive: true })
  const folder = mkdtempSync(join(state, 'chaos-'))
  const server =
    backend === 'sqlite'
      ? undefined
      : await startEmbeddedPostgres({ directory: join(folder, 'server'), settings: ['fsync=off'] })
  const pooled =
    server && backend === 'postgres behind pgbouncer'
      ? await makePooledDatabase(server.url, { auth: 'query' })
      : undefined
  const url = pooled?.url ?? server?.url ?? `file:${join(folder, 'app.db')}`
  const schema = readSchemaSource(join(import.meta.dirname, '../../prisma/schema'))
  await deployMigrations(schema, pooled?.directUrl ?? url)
  const database = await openDatabase(url)
  await syncPlans(prismaStore(database), plans)
  const sent: string[] = []
  let fake = new StripeFake()
  const http = await serveOnLoopback(async (request) => {
    if (new URL(request.url).pathname !== '/_sent') return fake.fetch(request)
    sent.push(await request.text())
    // It went out, and the worker does not know: it must send again, under the same key.
    return new Response(null, { status: chance() < 0.1 ? 500 : 204 })
  })
  const env = {
    ...process.env,
    DATABASE_URL: url,
    STRIPE_API_BASE: http.url,
    STRIPE_SECRET_KEY: 'sk_test_chaos',
  }
  const start = () =>
    fork(join(import.meta.dirname, 'worker.ts'), [variant], {
      env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  const workers: ChildProcess[] = Array.from({ length: backend === 'sqlite' ? 2 : 4 }, start)
  const arena: Arena = {
    database,
    stripe: openStripe(env),
    get fake() {
      return fake
    },
    renew(namespace) {
      fake = new StripeFake({ namespace, webhookSecret: secret, now: Math.floor(Date.now() / 1000) })
      for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
      fake.deliveries.take()
      sent.length = 0
      return fake
    },
    sent,
    kills: 0,
    kill(at) {
      workers[at % workers.length]?.kill('SIGKILL')
      workers[at % workers.length] = start()
      arena.kills++
    },
    async close() {
      for (const worker of workers) {
        worker.kill('SIGKILL')
        if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit')
      }
      await http.close()
      await database.close()
      await pooled?.drop()
      await server?.stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return arena
}
