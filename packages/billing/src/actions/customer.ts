import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import type { Customer } from '../store.ts'
import { withFreshKey } from './idempotency-key.ts'

/**
 * The account's customer at Stripe, made at first need. Two that come at once get the same one. One that was deleted at
 * Stripe is replaced: what is known of it stays.
 * @throws Failure OUTGROW_BILLING_NO_ACCOUNT
 */
export async function ensureCustomer(billing: Billing, accountId: string, email?: string): Promise<Customer> {
  const { customers } = billing.store
  const known = await customers.ofAccount(accountId)
  if (known && !known.deleted) return known
  const account = await customers.account(accountId)
  if (!account) {
    throw new Failure({
      code: 'OUTGROW_BILLING_NO_ACCOUNT',
      message: `There is no account ${accountId}.`,
      fix: 'Show the page anew: it was deleted meanwhile.',
    })
  }
  const stripeCustomerId = await createAtStripe(billing, accountId, known)
  await billing.stripe.customers.update(stripeCustomerId, {
    ...(account.name === null ? {} : { name: account.name }),
    ...(email === undefined ? {} : { email }),
  })
  if (known) return replace(billing, known, stripeCustomerId)
  return customers.add({ accountId, stripeCustomerId, email: email ?? null })
}

/**
 * Made with nothing but the account and who it was before, which two requests at once have in common. For a minute only: Stripe
 * remembers keys for the whole Stripe account, where another database, such as one that was just made anew, may have an
 * account of the same id.
 */
async function createAtStripe(
  { stripe, now }: Billing,
  accountId: string,
  deleted: Customer | undefined,
): Promise<string> {
  const minute = Math.floor(timeOf({ now }).getTime() / 60_000)
  const intent = ['customer', accountId, ...(deleted ? [deleted.stripeCustomerId] : []), minute].join(':')
  const { id } = await withFreshKey(intent, (idempotencyKey) =>
    stripe.customers.create({ metadata: { accountId } }, { idempotencyKey }),
  )
  return id
}

/** Puts a new customer into the place of one that was deleted at Stripe, unless another request has done so. */
function replace(billing: Billing, before: Customer, stripeCustomerId: string): Promise<Customer> {
  return billing.store.transaction(async (tx) => {
    const current = await tx.fence.lock(before.id)
    if (current.stripeCustomerId !== before.stripeCustomerId) return current
    await tx.customers.replace(before.id, stripeCustomerId, timeOf(billing))
    return tx.fence.lock(before.id)
  })
}

/** @throws Failure OUTGROW_BILLING_NO_CUSTOMER */
export async function customerOf({ store }: Billing, accountId: string): Promise<Customer> {
  const customer = await store.customers.ofAccount(accountId)
  if (customer) return customer
  throw noCustomer(accountId)
}

/** @param cause Stripe's refusal, where the customer was deleted there */
export function noCustomer(accountId: string, cause?: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_NO_CUSTOMER',
    message: `Account ${accountId} has no customer at Stripe${cause === undefined ? ' yet' : ' any more'}.`,
    fix: 'Create one with createCheckout first.',
    cause,
  })
}
