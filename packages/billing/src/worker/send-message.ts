import { once } from 'node:events'
import { timeOf, type Billing } from '../context.ts'
import type { LeasedMessage, Message } from '../store.ts'
import { crashLoop, errorText, isCrashLoop, maxAttempts, nextAttemptAt } from './backoff.ts'

/** What is sent. Its key is the same for every repeat: pass it on, as an idempotency key of a mail service for example. */
export type OutboxEffect = Message

/** Sends one message. A throw means that it may not have been sent, and is sent again. The signal aborts when time is up. */
export type Send = (effect: OutboxEffect, signal: AbortSignal) => Promise<void>

/** Sends a leased message, at least once. */
export async function sendMessage(
  billing: Billing,
  send: Send,
  message: LeasedMessage,
  timeoutMs: number,
): Promise<'sent' | 'unsent'> {
  const { outbox } = billing.store
  const { key, topic, payload, attempts } = message
  try {
    if (isCrashLoop(message)) throw crashLoop()
    const signal = AbortSignal.timeout(timeoutMs)
    const late = once(signal, 'abort').then(() => {
      throw new Error(`sending took longer than ${timeoutMs} ms`)
    })
    // What throws before it returns a promise must not leave `late` without anybody who hears it.
    await Promise.race([late, (async () => send({ key, topic, payload }, signal))()])
  } catch (error) {
    const now = timeOf(billing)
    if (attempts >= maxAttempts) await outbox.bury(message, now, errorText(error))
    else await outbox.postpone(message, nextAttemptAt(now, attempts, error), errorText(error))
    return 'unsent'
  }
  await outbox.settle(message, timeOf(billing))
  return 'sent'
}
