import type { Stripe } from 'stripe'
import { defaultPolicy, type BillingPolicy } from './config/policy.ts'
import type { BillingStore } from './store.ts'

/** What billing works with. */
export interface Billing {
  store: BillingStore
  stripe: Stripe
  /** What differs from `defaultPolicy`. */
  policy?: Partial<BillingPolicy> | undefined
  /** The time, for tests that move it. */
  now?: (() => Date) | undefined
}

export function timeOf({ now }: Pick<Billing, 'now'>): Date {
  return now?.() ?? new Date()
}

export function policyOf({ policy }: Pick<Billing, 'policy'>): BillingPolicy {
  return { ...defaultPolicy, ...policy }
}
