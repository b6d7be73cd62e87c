import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import type { BillingTables, Customer } from '../store.ts'

export interface CustomerLink {
  accountId: string
  /** `cus_…` */
  stripeCustomerId: string
}

/**
 * Makes a customer that Stripe has an account's own. Nobody is mailed about what happened before Stripe first told of it
 * here; events about it that were ignored are worked off.
 * @param seen the customer, where it has been asked of Stripe already
 * @throws Failure OUTGROW_BILLING_LINK, OUTGROW_BILLING_NO_ACCOUNT
 */
export async function linkCustomer(
  billing: Billing,
  link: CustomerLink,
  seen?: Stripe.Customer,
): Promise<Customer> {
  const { email } = await checkLink(billing, link, seen)
  const { stripeCustomerId } = link
  const now = timeOf(billing)
  return billing.store.transaction(async (tx) => {
    const baselineAt = (await tx.inbox.firstAbout(stripeCustomerId)) ?? now
    const customer = await placeOf(tx, link, { email, baselineAt, now })
    await tx.unlinked.remove([stripeCustomerId])
    await tx.inbox.requeueIgnored(stripeCustomerId, now)
    return customer
  })
}

/**
 * Whether a link can be made, without making it. Returns the customer at Stripe.
 * @throws Failure OUTGROW_BILLING_LINK, OUTGROW_BILLING_NO_ACCOUNT
 */
export async function checkLink(
  { store, stripe }: Billing,
  { accountId, stripeCustomerId }: CustomerLink,
  seen?: Stripe.Customer,
): Promise<Stripe.Customer> {
  const account = await store.customers.account(accountId)
  if (!account) {
    throw new Failure({
      code: 'OUTGROW_BILLING_NO_ACCOUNT',
      message: `There is no account ${accountId}.`,
      fix: 'Use the id of an account in this database.',
    })
  }
  const other = await store.customers.ofStripe(stripeCustomerId)
  if (other && other.accountId !== accountId)
    throw refused(`${stripeCustomerId} belongs to account ${other.accountId} already.`)
  const own = await store.customers.ofAccount(accountId)
  if (own && !own.deleted && own.stripeCustomerId !== stripeCustomerId)
    throw refused(`Account ${accountId} has the customer ${own.stripeCustomerId} already.`)
  const customer = seen ?? (await customerAt(stripe, stripeCustomerId))
  if (customer === undefined || customer.deleted)
    throw refused(`Stripe has no customer ${stripeCustomerId}, or it was deleted there.`)
  return customer
}

async function placeOf(
  tx: BillingTables,
  { accountId, stripeCustomerId }: CustomerLink,
  { email, baselineAt, now }: { email: string | null; baselineAt: Date; now: Date },
): Promise<Customer> {
  const customer = await tx.customers.add({ accountId, stripeCustomerId, email, baselineAt })
  if (customer.stripeCustomerId === stripeCustomerId) return customer
  const before = await tx.fence.lock(customer.id)
  if (before.stripeCustomerId === stripeCustomerId) return before
  // Somebody was faster, unless it is one that was deleted at Stripe.
  if (!before.deleted)
    throw refused(`Account ${accountId} has the customer ${before.stripeCustomerId} already.`)
  await tx.customers.replace(before.id, stripeCustomerId, now)
  return tx.fence.lock(before.id)
}

async function customerAt(
  stripe: Stripe,
  id: string,
): Promise<Stripe.Customer | Stripe.DeletedCustomer | undefined> {
  try {
    return await stripe.customers.retrieve(id)
  } catch (error) {
    if ((error as { code?: string }).code === 'resource_missing') return undefined
    throw error
  }
}

function refused(message: string): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_LINK',
    message,
    why: 'A customer of Stripe is one account’s, and an account has one customer.',
    fix: 'Check both ids in Stripe’s dashboard; a customer that pays for nothing can be deleted there.',
  })
}
