import type { Stripe } from 'stripe'

/** What the application decides, where Stripe leaves it open. */
export interface BillingPolicy {
  /** How long access lasts after a payment failed, and past a period whose renewal was not heard of. */
  graceDays: number
  /** Also grant the features that Stripe's own entitlements list for the customer. */
  stripeEntitlements: boolean
  /** Nobody is sent a message about what happened at Stripe longer ago than this; it is recorded as late. */
  messageDays: number
  /** Decides about customers that were not made here. Without it they are reported, and a person links them. */
  linkCustomer?: LinkCustomer
}

/**
 * Whose a customer is that Stripe has and the application has not: an account's id, null for another application's, or
 * undefined when that is not known. Names and e-mail addresses prove nothing: anybody may type them into a payment page.
 * So with metadata and `client_reference_id`, unless only your own server can have written them.
 */
export type LinkCustomer = (customer: Stripe.Customer) => Promise<string | null | undefined>

/** Refunds and disputes change no status and no access: they are told through the outbox, and people decide. */
export const defaultPolicy: BillingPolicy = { graceDays: 7, stripeEntitlements: false, messageDays: 3 }
