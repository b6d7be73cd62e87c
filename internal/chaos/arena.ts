import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openStripe, prismaStore, syncPlans } from '@outgrow/billing'
import { openDatabase, type Database } from '@outgrow/db'
import { startEmbeddedPostgres } from '@outgrow/databases'
import { deployMigrations, readSchemaSource } from '@outgrow/schema'
import type { Backend } from '@outgrow/testing'
import { makePooledDatabase } from '@outgrow/testing/pooler'
import { serveOnLoopback, StripeFake } from '@outgrow/stripe-fake'
import type { Stripe } from 'stripe'
import { Gateway, keyOf, type Caller } from './gateway.ts'
import { openLedger, type Ledger } from './ledger.ts'
import { plans } from './plans.ts'
import { Place } from './processes.ts'
import type { Variant } from './variants.ts'

export const secret = 'whsec_chaos'

/** One database, a stand-in for Stripe that is replaced each life, and processes that are killed on the way. */
export interface Arena {
  database: Database
  ledger: Ledger
  stripe: Stripe
  gateway: Gateway
  workers: Place[]
  application: Place
  /** How many lives were begun. */
  lives: number
  /** Processes that died, by what they died by. */
  deaths: Map<string, number>
  /** Begins a life with a Stripe of its own. */
  renew(namespace: string): StripeFake
  /** Lets all processes run a variant. */
  use(variant: Variant): Promise<void>
  close(): Promise<void>
}

export async function openArena(backend: Backend, chance: () => number): Promise<Arena> {
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
  const ledger = await openLedger(database)
  const gateway = new Gateway(new StripeFake(), chance)
  const http = await serveOnLoopback(gateway.fetch)
  const envOf = (caller: Caller, at?: number) => ({
    ...process.env,
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/compiled'),
    DATABASE_URL: url,
    STRIPE_API_BASE: http.url,
    STRIPE_SECRET_KEY: keyOf(caller, at),
  })
  const deaths = new Map<string, number>()
  const place = (script: string, caller: Caller, at?: number) =>
    new Place(script, 'ours', envOf(caller, at), (by) => {
      if (by.startsWith('itself')) gateway.wrong.push(`a ${caller} ended by ${by}`)
      const death = `${caller} ${by}`
      deaths.set(death, (deaths.get(death) ?? 0) + 1)
    })
  const workers = Array.from({ length: backend === 'sqlite' ? 2 : 3 }, (_, at) =>
    place('worker.ts', 'worker', at),
  )
  const application = place('application.ts', 'application')
  return {
    database,
    ledger,
    stripe: openStripe(envOf('harness')),
    gateway,
    workers,
    application,
    lives: 0,
    deaths,
    renew(namespace) {
      const now = Math.floor(Date.now() / 1000)
      const fake = new StripeFake({ namespace, webhookSecret: secret, now })
      for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
      fake.deliveries.take()
      gateway.renew(fake)
      return fake
    },
    use: async (variant) => {
      await Promise.all([...workers, application].map((each) => each.use(variant)))
    },
    async close() {
      await Promise.all([...workers, application].map((each) => each.close()))
      await http.close()
      await database.close()
      await pooled?.drop()
      await server?.stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
