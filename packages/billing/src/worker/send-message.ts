import { once } from 'node:events'
import { withRetry } from '@outgrow/db'
import { timeOf, type Billing } from '../context.ts'
import { errorText, mostAttempts, nextAttemptAt, refuseCrashLoop } from './backoff.ts'

export interface OutboxEffect {
  /** The same for every repeat: pass it on, as an idempotency key of a mail service for example. */
  key: string
  topic: string
  payload: { customerId: string; objectId: string }
}

/** Sends one message. A throw means that it may not have been sent, and is sent again. The signal aborts when time is up. */
export type Send = (effect: OutboxEffect, signal: AbortSignal) => Promise<void>

/** Sends a claimed message, at least once. */
export async function sendMessage(
  billing: Billing,
  send: Send,
  id: number,
  timeoutMs: number,
): Promise<'sent' | 'unsent'> {
  const { client } = billing.database
  const message = await client.outboxMessage.findUniqueOrThrow({ where: { id } })
  const { key, topic, attempts } = message
  try {
    refuseCrashLoop(attempts)
    const signal = AbortSignal.timeout(timeoutMs)
    const late = once(signal, 'abort').then(() => {
      throw new Error(`sending took longer than ${timeoutMs} ms`)
    })
    await Promise.race([
      send({ key, topic, payload: message.payload as OutboxEffect['payload'] }, signal),
      late,
    ])
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
