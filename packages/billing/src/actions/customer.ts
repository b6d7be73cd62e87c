import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import type { Customer } from '../store.ts'
import { withFreshKey } from './idempotency-key.ts'

/**
 * The account's customer at Stripe, made at first need. Two that come at once get the same one.
 * @throws Failure OUTGROW_BILLING_CUSTOMER_DELETED, OUTGROW_BILLING_NO_ACCOUNT
 */
export async function ensureCustomer(
  { store, stripe, now }: Billing,
  accountId: string,
  email?: string,
): Promise<Customer> {
  const { customers } = store
  const known = await customers.ofAccount(accountId)
  if (known && !known.deleted) return known
  if (known) {
    throw new Failure({
      code: 'OUTGROW_BILLING_CUSTOMER_DELETED',
      message: `The customer of account ${accountId} was deleted at Stripe.`,
      fix: 'Delete the account’s local billing customer too, so that the account can start over.',
    })
  }
  const account = await customers.account(accountId)
  if (!account) {
    throw new Failure({
      code: 'OUTGROW_BILLING_NO_ACCOUNT',
      message: `There is no account ${accountId}.`,
      fix: 'Show the page anew: it was deleted meanwhile.',
    })
  }
  // Made with nothing but the account, which two requests at once have in common.
  const { id } = await withFreshKey(`customer:${accountId}`, timeOf({ now }), (idempotencyKey) =>
    stripe.customers.create({ metadata: { accountId } }, { idempotencyKey }),
  )
  await stripe.customers.update(id, {
    ...(account.name === null ? {} : { name: account.name }),
    ...(email === undefined ? {} : { email }),
  })
  return customers.add({ accountId, stripeCustomerId: id, email: email ?? null })
}

/** @throws Failure OUTGROW_BILLING_NO_CUSTOMER */
export async function customerOf({ store }: Billing, accountId: string): Promise<Customer> {
  const customer = await store.customers.ofAccount(accountId)
  if (customer) return customer
  throw new Failure({
    code: 'OUTGROW_BILLING_NO_CUSTOMER',
    message: `Account ${accountId} has no customer at Stripe yet.`,
    fix: 'Create one with createCheckout first.',
  })
}
