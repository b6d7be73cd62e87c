import type { Stripe } from 'stripe'
import { EventStatus, withRetry, type Database, type Prisma, type TransactionClient } from '@outgrow/db'
import { timeOf, type Billing } from '../context.ts'
import { isHandled } from '../inbox/event-types.ts'
import { effectsOfEvent } from '../sync/effects.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { errorText, mostAttempts, nextAttemptAt, refuseCrashLoop } from './backoff.ts'

export type ClaimedEvent = Prisma.WebhookEventGetPayload<{ omit: { payload: true } }>

export type EventOutcome = 'applied' | 'superseded' | 'ignored' | 'failed' | 'dead'

/** Does what an event asks for. Never throws: a failure is recorded, and the event tried again later. */
export async function processEvent(billing: Billing, event: ClaimedEvent): Promise<EventOutcome> {
  try {
    return await work(billing, event)
  } catch (error) {
    const isDead = event.attempts >= mostAttempts
    const now = timeOf(billing)
    await withRetry(() =>
      finish(billing.database.client, event, {
        status: isDead ? EventStatus.DEAD : EventStatus.PENDING,
        nextAttemptAt: nextAttemptAt(now, event.attempts, error),
        lastError: errorText(error),
      }),
    )
    return isDead ? 'dead' : 'failed'
  }
}

async function work(billing: Billing, event: ClaimedEvent): Promise<EventOutcome> {
  const { database, stripe } = billing
  refuseCrashLoop(event.attempts)
  const done = (outcome: string) => ({
    status: EventStatus.DONE,
    outcome,
    lastError: null,
    processedAt: timeOf(billing),
  })
  const ignore = async (outcome: string): Promise<'ignored'> => {
    await withRetry(() => finish(database.client, event, { ...done(outcome), status: EventStatus.IGNORED }))
    return 'ignored'
  }
  if (!isHandled(event.type)) return ignore('event type not handled')
  const stripeCustomerId = event.customerId ?? (await customerOfObject(stripe, event.objectId))
  if (stripeCustomerId === undefined) return ignore('no customer')
  // Whose account it is, the stored customer decides: never metadata, which anybody may have written.
  const customer = await database.client.billingCustomer.findUnique({ where: { stripeCustomerId } })
  if (!customer) return ignore('customer belongs to no account')
  const effects =
    event.objectId === null ? [] : await effectsOfEvent(stripe, event.type, event.objectId, stripeCustomerId)
  const { outcome } = await syncCustomer(billing, {
    customerId: customer.id,
    stripeCustomerId,
    eventId: event.stripeEventId,
    effects,
    alongside: async (tx, result) => {
      await finish(tx, event, done(result))
    },
  })
  return outcome
}

/** Writes what came of an event, unless its lease was lost and somebody else has it. */
async function finish(
  client: Database['client'] | TransactionClient,
  { id, attempts }: ClaimedEvent,
  data: Prisma.WebhookEventUpdateManyMutationInput,
): Promise<void> {
  await client.webhookEvent.updateMany({
    where: { id, attempts, status: EventStatus.PROCESSING },
    data: { ...data, leaseUntil: null },
  })
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
