import { EventStatus, type Database } from '@outgrow/db'

interface SubscriptionPayload {
  id: string
  object: string
  status: string
  customer: string
}

/** Believes each payload, in the order of arrival: the last one that is written wins. */
export async function runLastWrite(database: Database, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // Two of them may insert one row: then one of them tries again.
    await writeLast(database).catch(() => {})
    await new Promise((done) => setTimeout(done, 10))
  }
}

async function writeLast({ client }: Database): Promise<void> {
  const events = await client.webhookEvent.findMany({
    where: { status: EventStatus.PENDING },
    orderBy: { id: 'asc' },
    take: 20,
  })
  for (const event of events) {
    const { object } = (JSON.parse(event.payload) as { data: { object: SubscriptionPayload } }).data
    const customer =
      object.object === 'subscription'
        ? await client.billingCustomer.findUnique({ where: { stripeCustomerId: object.customer } })
        : null
    if (customer) {
      await client.subscription.upsert({
        where: { stripeSubscriptionId: object.id },
        create: {
          stripeSubscriptionId: object.id,
          customerId: customer.id,
          status: 'UNKNOWN',
          stripeStatus: object.status,
        },
        update: { stripeStatus: object.status },
      })
    }
    await client.webhookEvent.update({ where: { id: event.id }, data: { status: EventStatus.DONE } })
  }
}
