import type { Stripe } from 'stripe'
import type { BillingPolicy } from './config/policy.ts'
import type { BillingStore } from './store.ts'

/** What billing works with. */
export interface Billing {
  store: BillingStore
  stripe: Stripe
  policy?: BillingPolicy | undefined
  /** The time, for tests that move it. */
  now?: (() => Date) | undefined
}

export function timeOf({ now }: Pick<Billing, 'now'>): Date {
  return now?.() ?? new Date()
}
