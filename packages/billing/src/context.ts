import type { Stripe } from 'stripe'
import { defaultPolicy, type BillingPolicy } from './config/policy.ts'
import type { EventHooks } from './hooks/on-event.ts'
import type { BillingStore } from './store.ts'

/** What billing works with. */
export interface Billing<Client = unknown> {
  store: BillingStore<Client>
  stripe: Stripe
  /** What differs from `defaultPolicy`. */
  policy?: Partial<BillingPolicy> | undefined
  /** What the application does itself about events. Webhook handlers are to have the same. */
  onEvent?: EventHooks<Client> | undefined
  /** The time, for tests that move it. */
  now?: (() => Date) | undefined
}

export function timeOf({ now }: Pick<Billing, 'now'>): Date {
  return now?.() ?? new Date()
}

export function policyOf({ policy }: Pick<Billing, 'policy'>): BillingPolicy {
  return { ...defaultPolicy, ...policy }
}
