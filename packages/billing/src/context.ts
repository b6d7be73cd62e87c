import type { Stripe } from 'stripe'
import type { Database } from '@outgrow/db'
import type { BillingPolicy } from './config/policy.ts'

/** What billing works with. */
export interface Billing {
  database: Database
  stripe: Stripe
  policy?: BillingPolicy | undefined
  /** The time, for tests that move it. */
  now?: (() => Date) | undefined
}

export function timeOf({ now }: Pick<Billing, 'now'>): Date {
  return now?.() ?? new Date()
}
