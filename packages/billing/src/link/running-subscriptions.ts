import type { Stripe } from 'stripe'
import { isRunning, statusOf } from '../state/statuses.ts'

/** Ids of what runs of a customer at Stripe. */
export async function runningSubscriptions(stripe: Stripe, customer: string): Promise<string[]> {
  const running: string[] = []
  for await (const { id, status } of stripe.subscriptions.list({ customer, limit: 100 }))
    if (isRunning(statusOf(status))) running.push(id)
  return running
}
