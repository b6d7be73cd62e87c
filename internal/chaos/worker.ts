/** One worker process of the chaos run: `node worker.ts <variant>`, with its addresses in the environment. */
import { listen, reportReady, state, visit } from './child.ts'
import { openStripe, prismaStore, runWorker, type Send } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { runLastWrite } from './last-write.ts'
import { concurrency } from './life.ts'
import { withPoints } from './points.ts'
import { storeOf, type Variant } from './variants.ts'

let variant = process.argv[2] as Variant
const end = new AbortController()
let callsPerSecond = Number(process.env.CHAOS_CALLS_PER_SECOND)
let stop = new AbortController()
process.on('SIGTERM', () => {
  end.abort()
  stop.abort()
})
listen({
  onUse(other) {
    variant = other
    stop.abort()
  },
  onBudget(perSecond) {
    callsPerSecond = perSecond
    stop.abort()
  },
})
const database = await openDatabase(process.env.DATABASE_URL ?? '')
const stripe = openStripe()
const send: Send = async (message) => {
  const body = JSON.stringify(message)
  const answer = await fetch(`${process.env.STRIPE_API_BASE}/_sent`, { method: 'POST', body })
  await visit('after send')
  if (!answer.ok) throw new Error('not sent')
}
while (!end.signal.aborted) {
  stop = new AbortController()
  const { signal } = stop
  reportReady()
  if (variant === 'last-write') await runLastWrite(database, signal)
  else await work(signal)
}
await database.close()
process.disconnect()

async function work(signal: AbortSignal): Promise<void> {
  const store = withPoints(
    storeOf(variant === 'local-checkout' ? 'ours' : variant, prismaStore(database), database),
    visit,
  )
  const { inbox, outbox } = store
  await runWorker({
    store: {
      ...store,
      inbox: { ...inbox, lease: async (request) => (state.held ? [] : inbox.lease(request)) },
      outbox: { ...outbox, lease: async (request) => (state.held ? [] : outbox.lease(request)) },
    },
    stripe,
    signal,
    concurrency,
    stripeCallsPerSecond: variant === 'no-budget' ? Infinity : callsPerSecond,
    pollMs: 15,
    // Longer than anything takes on a slow machine: a lease that ends is a thing of its own here.
    leaseMs: 20_000,
    send,
  })
}
