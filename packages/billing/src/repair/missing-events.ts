import type { Stripe } from 'stripe'
import type { Billing } from '../context.ts'
import { typesOf } from '../hooks/on-event.ts'
import { handledEventTypes, isHandled } from '../inbox/event-types.ts'
import { parseEvent } from '../inbox/parse-event.ts'
import { storeEvent } from '../inbox/store-event.ts'
import { chunksOf } from './chunks-of.ts'

/** What happened at Stripe less than this before may still be on its way here: it is no finding. */
const inFlightMs = 5 * 60_000

export interface MissingEvents {
  /** Stripe's ids. */
  missing: string[]
  /** How many more have happened too lately to be missed. */
  inFlight: number
}

/** Stores events that Stripe has and the inbox has not. */
export async function fetchMissingEvents(
  { store, stripe, onEvent }: Billing,
  { since, start, dryRun }: { since: Date; start: Date; dryRun: boolean },
  onProgress: (events: number) => Promise<void>,
): Promise<MissingEvents> {
  const found: MissingEvents = { missing: [], inFlight: 0 }
  let listed = 0
  for await (const events of chunksOf(listEvents(stripe, since, typesOf(onEvent)))) {
    const known = await store.inbox.known(events.map(({ id }) => id))
    const unknown = events.filter(({ id }) => !known.has(id))
    for (const { id, created } of unknown) {
      if (created * 1000 > start.getTime() - inFlightMs) found.inFlight++
      else found.missing.push(id)
    }
    if (!dryRun) {
      // At once, so that they are gathered into few statements.
      const stored = unknown.map(async (event) => {
        const received = parseEvent(event)
        if (received)
          await storeEvent(store, received, JSON.stringify(event), { source: 'reconcile', onEvent })
      })
      await Promise.all(stored)
    }
    await onProgress((listed += events.length))
  }
  return found
}

/** Events that billing handles, and those of the application's hooks. Stripe takes twenty types at a time. */
async function* listEvents(
  stripe: Stripe,
  since: Date,
  hooked: readonly string[],
): AsyncGenerator<Stripe.Event> {
  const others = hooked.filter((type) => !isHandled(type) && !type.startsWith('v2.'))
  const lists = [[...handledEventTypes]] as string[][]
  for (let at = 0; at < others.length; at += 20) lists.push(others.slice(at, at + 20))
  for (const types of lists) {
    yield* stripe.events.list({ created: { gte: secondsOf(since) }, types, limit: 100 })
  }
}

/** Customers about whom something has happened so lately that a difference may only be its events on their way. */
export async function customersInFlight({ stripe }: Billing, start: Date): Promise<Set<string>> {
  const since = new Date(start.getTime() - inFlightMs)
  const customers = new Set<string>()
  const types = [...handledEventTypes]
  for await (const event of stripe.events.list({ created: { gte: secondsOf(since) }, types, limit: 100 })) {
    const customer = parseEvent(event)?.customerId
    if (typeof customer === 'string') customers.add(customer)
  }
  return customers
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
