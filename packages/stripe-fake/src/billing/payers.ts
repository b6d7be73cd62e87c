import type { Stripe } from 'stripe'
import type { Emitter } from '../emitter.ts'
import { customerObject } from '../objects/customer.ts'
import type { Store } from '../store.ts'
import { completeSession, openSession } from './checkout.ts'
import { subscribe } from './subscribe.ts'

/** Somebody who pays without the application: nothing at Stripe says whose account it is. */
export interface OutsidePayer {
  email: string
  price: string
  quantity?: number
  name?: string
  trialDays?: number
}

/** Somebody buys through a payment link, which makes a customer of its own each time. */
export function payByLink(store: Store, emit: Emitter, payer: OutsidePayer): Stripe.Checkout.Session {
  const { email, price, quantity = 1, name, trialDays = 0 } = payer
  const session = openSession(store, {
    customer: undefined,
    customerEmail: email,
    items: [{ price, quantity }],
    data: { trialDays },
    paymentLink: store.id('plink'),
  })
  completeSession(store, emit, session.id, 'succeeds')
  if (name !== undefined) store.customer(session.customer as string).name = name
  return session
}

/** Somebody at the shop makes a customer and a subscription in Stripe's dashboard. */
export function subscribeInDashboard(store: Store, emit: Emitter, payer: OutsidePayer): Stripe.Subscription {
  const { email, price, quantity = 1, name, trialDays = 0 } = payer
  const customer = customerObject(store.id('cus'), store.now, email)
  customer.name = name ?? null
  store.customers.set(customer.id, customer)
  emit('customer.created', customer)
  return subscribe(store, emit, { customer: customer.id, items: [{ price, quantity }], trialDays }).object
}
