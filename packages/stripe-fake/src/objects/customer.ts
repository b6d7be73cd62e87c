import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'

/**
 * Objects as the API shows them. Fields that this stand-in gives no meaning are left out, so the casts: what is written
 * is held against stripe-node's types with `satisfies`.
 */
export function customerObject(id: string, created: Seconds, email: string | null): Stripe.Customer {
  return {
    id,
    object: 'customer',
    balance: 0,
    created,
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email,
    invoice_prefix: id.replace(/^cus_/, '').toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
  } satisfies Partial<Stripe.Customer>
}
