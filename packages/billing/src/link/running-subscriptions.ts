import type { Stripe } from 'stripe'
import { isRunning, statusOf } from '../state/statuses.ts'
import { isNoCustomer } from './no-customer.ts'

/** Ids of what runs of a customer at Stripe; none of one that it does not have any more. */
export async function runningSubscriptions(stripe: Stripe, customer: string): Promise<string[]> {
  const running: string[] = []
  try {
    for await (const { id, status } of stripe.subscriptions.list({ customer, limit: 100 }))
      if (isRunning(statusOf(status))) running.push(id)
  } catch (error) {
    if (!isNoCustomer(error)) throw error
  }
  return running
}
