import { timeOf, type Billing } from '../context.ts'
import { hookOf, type EventHook } from '../hooks/on-event.ts'
import { runHook } from '../hooks/run-hook.ts'
import { isHandled } from '../inbox/event-types.ts'
import { EventStatus } from '../state/statuses.ts'
import { findCustomer } from '../link/find-customer.ts'
import type { Customer, LeasedEvent, Settlement } from '../store.ts'
import { effectsOfEvent, type Effect } from '../sync/effects.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { crashLoop, isCrashLoop } from './backoff.ts'
import { customerOfObject } from './customer-of-object.ts'
import { isRateLimit, putBack, type EventOutcome } from './put-back.ts'
import { pauseOf } from './rate-limit.ts'

/** Hears what came of an event. */
export type Report = (outcome: EventOutcome, id: number) => void

/** What is worked off together: the events of one customer; those that name none; each of a connected account. */
export function byCustomer(events: readonly LeasedEvent[]): LeasedEvent[][] {
  const owner = ({ id, stripeCustomerId, stripeAccountId }: LeasedEvent) =>
    stripeAccountId === null ? stripeCustomerId : id
  return [...Map.groupBy(events, owner).values()]
}

/**
 * Does what events of one customer ask for, with one synchronisation. A failure is recorded, and what it concerns tried
 * again later.
 * @throws what the database throws when nothing can be recorded
 */
export async function processEvents(
  billing: Billing,
  events: readonly LeasedEvent[],
  report: Report,
): Promise<void> {
  await putBack(billing, events.filter(isCrashLoop), crashLoop(), report)
  const rest = events.filter((event) => !isCrashLoop(event))
  const wanted = rest.filter(({ type, stripeAccountId }) => stripeAccountId === null && isHandled(type))
  const unwanted = rest.filter((event) => !wanted.includes(event))
  await ignore(billing, unwanted, 'event type not handled', report)
  if (wanted.length === 0) return
  const [{ stripeCustomerId }] = wanted as [LeasedEvent]
  if (stripeCustomerId === null) return findCustomers(billing, wanted, report)
  let customer: Customer | undefined
  try {
    // Whose account it is, the stored customer decides: never metadata, which anybody may have written.
    customer = await findCustomer(billing, stripeCustomerId)
  } catch (error) {
    return putBack(billing, wanted, error, report)
  }
  if (customer) await settle(billing, customer, wanted, report)
  else await ignore(billing, wanted, 'customer belongs to no account', report, EventStatus.IGNORED)
}

/** Asks Stripe whose events they are, and gives them back: each is taken again with its customer's others. */
async function findCustomers(
  billing: Billing,
  events: readonly LeasedEvent[],
  report: Report,
): Promise<void> {
  const found = new Map<string, LeasedEvent[]>()
  for (const [at, event] of events.entries()) {
    try {
      const customer = await customerOfObject(billing.stripe, event.objectId)
      if (customer === undefined) await ignore(billing, [event], 'no customer', report)
      else found.set(customer, [...(found.get(customer) ?? []), event])
    } catch (error) {
      const isLimited = isRateLimit(error)
      await putBack(billing, isLimited ? events.slice(at) : [event], error, report)
      if (isLimited) break
    }
  }
  for (const [customer, its] of found) await billing.store.inbox.assign(its, customer)
}

/**
 * Ends events that billing has nothing to do for. The application may: its hooks run.
 * @param afterHook what an event is then: one that is ignored is worked off after all when its customer is linked
 */
async function ignore(
  billing: Billing,
  events: readonly LeasedEvent[],
  outcome: string,
  report: Report,
  afterHook: Settlement['status'] = EventStatus.DONE,
): Promise<void> {
  const ignored = events.filter((event) => !openHook(billing, event))
  if (ignored.length > 0) {
    await billing.store.inbox.settle(ignored, { status: EventStatus.IGNORED, outcome, at: timeOf(billing) })
  }
  for (const { id } of ignored) report('ignored', id)
  await runHooks(billing, events, report, afterHook)
}

/** Synchronises the customer once, and settles all of its events with that. */
async function settle(
  billing: Billing,
  { id: customerId, stripeCustomerId }: Customer,
  events: readonly LeasedEvent[],
  report: Report,
): Promise<void> {
  let ready: readonly LeasedEvent[] = events
  const effects: Effect[] = []
  const known = new Set<string>()
  for (const event of events) {
    const { stripeEventId, type, objectId, stripeCreatedAt, receivedAt } = event
    // Each failed attempt is one of its own, though all are about one invoice.
    const about = type === 'invoice.payment_failed' ? stripeEventId : `${type} ${objectId}`
    if (objectId === null || known.has(about) || !isHandled(type)) continue
    try {
      const reference = { stripeEventId, type, objectId, happenedAt: stripeCreatedAt ?? receivedAt }
      effects.push(...(await effectsOfEvent(billing.stripe, reference, stripeCustomerId)))
      known.add(about)
    } catch (error) {
      if (isRateLimit(error)) {
        await putBack(billing, ready, error, report)
        return
      }
      // Only this one is held up by what is wrong with it.
      await putBack(billing, [event], error, report)
      ready = ready.filter((other) => other !== event)
    }
  }
  if (ready.length === 0) return
  const settled = ready.filter((event) => !openHook(billing, event))
  try {
    const { outcome } = await syncCustomer(billing, {
      customerId,
      stripeCustomerId,
      eventId: telling(ready)?.stripeEventId ?? null,
      effects,
      inSameTransaction: async (tx, result) => {
        const settlement = { status: EventStatus.DONE, outcome: result, at: timeOf(billing) }
        if (settled.length > 0) await tx.inbox.settle(settled, settlement)
      },
    })
    pauseOf(billing).end()
    for (const { id } of settled) report(outcome, id)
  } catch (error) {
    await putBack(billing, ready, error, report)
    return
  }
  // Each in a transaction of its own: what is wrong with one holds up none of the others.
  await runHooks(billing, ready, report)
}

/** The application's hook that is still to run for an event. */
function openHook({ onEvent }: Billing, { type, awaitsHook }: LeasedEvent): EventHook<unknown> | undefined {
  return awaitsHook ? hookOf(onEvent, type) : undefined
}

async function runHooks(
  billing: Billing,
  events: readonly LeasedEvent[],
  report: Report,
  afterHook: Settlement['status'] = EventStatus.DONE,
): Promise<void> {
  for (const event of events) {
    const hook = openHook(billing, event)
    if (!hook) continue
    try {
      if (await runHook(billing, hook, event, afterHook)) report('applied', event.id)
    } catch (error) {
      await putBack(billing, [event], error, report)
    }
  }
}

/** Which of several events the history names: the last one about a subscription, else the last. */
function telling(events: readonly LeasedEvent[]): LeasedEvent | undefined {
  return events.findLast(({ type }) => type.startsWith('customer.subscription.')) ?? events.at(-1)
}
