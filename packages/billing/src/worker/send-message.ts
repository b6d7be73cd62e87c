import { withRetry } from '@outgrow/client'
import { timeOf, type Billing } from '../context.ts'
import { errorText, mostAttempts, nextAttemptAt } from './backoff.ts'

export interface OutboxEffect {
  /** The same for every repeat: pass it on, as an idempotency key of a mail service for example. */
  key: string
  topic: string
  payload: { customerId: string; objectId: string }
}

/** Sends one message. A throw means that it may not have been sent, and is sent again. */
export type Send = (effect: OutboxEffect) => Promise<void>

/** Sends a claimed message, at least once. */
export async function sendMessage(billing: Billing, send: Send, id: number): Promise<'sent' | 'unsent'> {
  const { client } = billing.database
  const message = await client.outboxMessage.findUniqueOrThrow({ where: { id } })
  const { key, topic, attempts } = message
  try {
    await send({ key, topic, payload: message.payload as OutboxEffect['payload'] })
  } catch (error) {
    const now = timeOf(billing)
    await withRetry(() =>
      client.outboxMessage.updateMany({
        where: { id, attempts, sentAt: null },
        data: {
          leaseUntil: null,
          nextAttemptAt: nextAttemptAt(now, attempts, error),
          deadAt: attempts >= mostAttempts ? now : null,
          lastError: errorText(error),
        },
      }),
    )
    return 'unsent'
  }
  await withRetry(() =>
    client.outboxMessage.updateMany({
      where: { id, sentAt: null },
      data: { sentAt: timeOf(billing), leaseUntil: null, lastError: null },
    }),
  )
  return 'sent'
}
