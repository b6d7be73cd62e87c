import type { Database } from '@outgrow/db'
import type { StripeFake } from '@outgrow/stripe-fake'
import type { Message } from '../gateway.ts'

const onceEach = new Set<string>([
  'invoice.paid',
  'charge.dispute.created',
  'charge.dispute.closed',
  'customer.deleted',
])

/** Effects that are missing, never went out, or went out under another key. To be asked after a reconcile. */
export async function wrongEffects(
  database: Database,
  fake: StripeFake,
  sent: readonly Message[],
): Promise<string[]> {
  const wrong: string[] = []
  const keys = new Set<string>()
  for (const { type, data } of fake.store.events.values()) {
    // Each attempt that failed is told of.
    if (type === 'invoice.payment_failed') {
      keys.add(`${type}:${data.object.id}:${Math.max(1, data.object.attempt_count)}`)
      continue
    }
    if (type === 'customer.subscription.trial_will_end')
      keys.add(`${type}:${data.object.id}:${String(data.object.trial_end)}`)
    if (onceEach.has(type)) keys.add(`${type}:${(data.object as { id: string }).id}`)
    if (type === 'checkout.session.completed')
      keys.add(`checkout.completed:${(data.object as { id: string }).id}`)
  }
  for (const { object } of fake.store.subscriptions.values()) {
    if (object.status === 'active' || object.status === 'trialing')
      keys.add(`subscription.started:${object.id}`)
    if (object.status === 'canceled') keys.add(`subscription.ended:${object.id}`)
  }
  for (const id of fake.store.refunds.keys()) keys.add(`refund.made:${id}`)
  const out = new Set(sent.map(({ key }) => key))
  const rows = await database.client.outboxMessage.findMany({ where: { key: { in: [...keys] } } })
  for (const key of keys) {
    const found = rows.filter((row) => row.key === key)
    if (found.length !== 1) wrong.push(`${key} has ${found.length} outbox rows`)
    else if (found[0]?.sentAt === null || !out.has(key)) wrong.push(`${key} never went out`)
  }
  // A receiver knows a repeat by its key.
  const known = await database.client.outboxMessage.findMany({ where: { key: { in: [...out] } } })
  for (const key of out) {
    if (!known.some((row) => row.key === key)) wrong.push(`${key} went out, and no message has this key`)
  }
  return wrong
}
