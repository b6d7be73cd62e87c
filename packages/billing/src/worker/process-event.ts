import type { Stripe } from 'stripe'
import { timeOf, type Billing } from '../context.ts'
import { isHandled } from '../inbox/event-types.ts'
import { EventStatus } from '../state/statuses.ts'
import type { LeasedEvent } from '../store.ts'
import { effectsOfEvent } from '../sync/effects.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { errorText, maxAttempts, nextAttemptAt, refuseCrashLoop } from './backoff.ts'

export type EventOutcome = 'applied' | 'superseded' | 'ignored' | 'failed' | 'dead'

/** Does what an event asks for. Never throws: a failure is recorded, and the event tried again later. */
export async function processEvent(billing: Billing, event: LeasedEvent): Promise<EventOutcome> {
  try {
    return await work(billing, event)
  } catch (error) {
    const { inbox } = billing.store
    if (event.attempts >= maxAttempts) {
      await inbox.bury(event, errorText(error))
      return 'dead'
    }
    await inbox.postpone(event, nextAttemptAt(timeOf(billing), event.attempts, error), errorText(error))
    return 'failed'
  }
}

async function work(billing: Billing, event: LeasedEvent): Promise<EventOutcome> {
  const { store, stripe } = billing
  refuseCrashLoop(event.attempts)
  const ignore = async (outcome: string): Promise<'ignored'> => {
    await store.inbox.settle([event], { status: EventStatus.IGNORED, outcome, at: timeOf(billing) })
    return 'ignored'
  }
  if (!isHandled(event.type)) return ignore('event type not handled')
  const stripeCustomerId = event.stripeCustomerId ?? (await customerOfObject(stripe, event.objectId))
  if (stripeCustomerId === undefined) return ignore('no customer')
  // Whose account it is, the stored customer decides: never metadata, which anybody may have written.
  const customer = await store.customers.ofStripe(stripeCustomerId)
  if (!customer) return ignore('customer belongs to no account')
  const effects =
    event.objectId === null ? [] : await effectsOfEvent(stripe, event.type, event.objectId, stripeCustomerId)
  const { outcome } = await syncCustomer(billing, {
    customerId: customer.id,
    stripeCustomerId,
    eventId: event.stripeEventId,
    effects,
    inSameTransaction: async (tx, result) => {
      await tx.inbox.settle([event], { status: EventStatus.DONE, outcome: result, at: timeOf(billing) })
    },
  })
  return outcome
}

/** The customer that an object belongs to, asked of Stripe: thin events and disputes do not name it. */
async function customerOfObject(stripe: Stripe, id: string | null): Promise<string | undefined> {
  if (id === null) return undefined
  const kind = id.slice(0, id.indexOf('_'))
  const owner = (customer: string | { id: string } | null | undefined) =>
    typeof customer === 'string' ? customer : customer?.id
  const ofCharge = async (charge: string | { id: string } | null) => {
    const chargeId = owner(charge)
    return chargeId === undefined ? undefined : owner((await stripe.charges.retrieve(chargeId)).customer)
  }
  switch (kind) {
    case 'cus':
      return id
    case 'sub':
      return owner((await stripe.subscriptions.retrieve(id)).customer)
    case 'in':
      return owner((await stripe.invoices.retrieve(id)).customer)
    case 'cs':
      return owner((await stripe.checkout.sessions.retrieve(id)).customer)
    case 'ch':
    case 'py':
      return ofCharge(id)
    case 're':
    case 'pyr':
      return ofCharge((await stripe.refunds.retrieve(id)).charge)
    case 'dp':
    case 'du':
      return ofCharge((await stripe.disputes.retrieve(id)).charge)
    default:
      // Not to be taken for nobody's: it is tried again, and in the end shown as dead.
      throw new Error(`cannot determine the customer of object ${id}`)
  }
}
