/** What the application decides, where Stripe leaves it open. */
export interface BillingPolicy {
  /** How long access lasts after a payment failed, and past a period whose renewal was not heard of. */
  graceDays: number
  /** Also grant the features that Stripe's own entitlements list for the customer. */
  stripeEntitlements: boolean
}

/** Refunds and disputes change no status and no access: they are told through the outbox, and people decide. */
export const defaultPolicy: BillingPolicy = { graceDays: 7, stripeEntitlements: false }
