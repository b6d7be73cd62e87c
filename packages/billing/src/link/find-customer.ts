import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import { policyOf, timeOf, type Billing } from '../context.ts'
import type { Customer } from '../store.ts'
import { checkLink, linkCustomer, type CustomerLink } from './link-customer.ts'
import { runningSubscriptions } from './running-subscriptions.ts'

/**
 * The customer here that Stripe's is. One that was not made here is linked where the application's policy says whose it
 * is; else, while it pays, it is written down for a person to link. Metadata alone decides nothing.
 */
export async function findCustomer(
  billing: Billing,
  stripeCustomerId: string,
): Promise<Customer | undefined> {
  const { store, stripe } = billing
  const known = await store.customers.ofStripe(stripeCustomerId)
  if (known) return known
  const ignored = await store.unlinked.ignored([stripeCustomerId])
  if (ignored.size > 0) return undefined
  if (policyOf(billing).linkCustomer) {
    const atStripe = await stripe.customers.retrieve(stripeCustomerId)
    const link = atStripe.deleted ? null : await linkByPolicy(billing, atStripe)
    if (link === null) return undefined
    if (link !== 'unknown') return store.customers.ofStripe(stripeCustomerId)
  }
  const subscriptions = await runningSubscriptions(stripe, stripeCustomerId)
  if (subscriptions.length > 0) await store.unlinked.put({ stripeCustomerId, subscriptions }, timeOf(billing))
  // Somebody may have linked it meanwhile, and took no notice of what was not written down yet.
  const linked = await store.customers.ofStripe(stripeCustomerId)
  if (linked || subscriptions.length === 0) await store.unlinked.remove([stripeCustomerId])
  return linked
}

/**
 * Links a customer as the policy says. Null for another application's. One that it does not know, or that cannot be
 * linked, such as to an account that has a customer, is unknown.
 */
export async function linkByPolicy(
  billing: Billing,
  customer: Stripe.Customer,
  dryRun = false,
): Promise<CustomerLink | null | 'unknown'> {
  const accountId = await policyOf(billing).linkCustomer?.(customer)
  if (accountId === null) return null
  if (accountId === undefined) return 'unknown'
  const link = { accountId, stripeCustomerId: customer.id }
  try {
    if (dryRun) await checkLink(billing, link, customer)
    else await linkCustomer(billing, link, customer)
    return link
  } catch (error) {
    if (error instanceof Failure) return 'unknown'
    throw error
  }
}
