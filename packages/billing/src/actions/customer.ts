import { insertIgnore, type Prisma } from '@outgrow/db'
import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import { withFreshKey } from './idempotency-key.ts'

export type BillingCustomer = Prisma.BillingCustomerGetPayload<object>

/** The account's customer at Stripe, made at first need. Two that come at once get the same one. */
export async function ensureCustomer(
  { database, stripe, now }: Billing,
  accountId: string,
  email?: string,
): Promise<BillingCustomer> {
  const { client } = database
  const known = await client.billingCustomer.findUnique({ where: { accountId } })
  if (known && !known.deleted) return known
  if (known) {
    throw new Failure({
      code: 'OUTGROW_BILLING_CUSTOMER_DELETED',
      message: `The customer of account ${accountId} was deleted at Stripe.`,
      fix: 'Delete the account’s local billing customer too, so that the account can start over.',
    })
  }
  const { name } = await client.account.findUniqueOrThrow({ where: { id: accountId } })
  // Made with nothing but the account, which two requests at once have in common.
  const { id } = await withFreshKey(`customer:${accountId}`, timeOf({ now }), (idempotencyKey) =>
    stripe.customers.create({ metadata: { accountId } }, { idempotencyKey }),
  )
  await stripe.customers.update(id, { name, ...(email === undefined ? {} : { email }) })
  await insertIgnore(database, client, 'billingCustomer', [
    { accountId, stripeCustomerId: id, email: email ?? null },
  ])
  return client.billingCustomer.findUniqueOrThrow({ where: { accountId } })
}

/** @throws Failure OUTGROW_BILLING_NO_CUSTOMER */
export async function customerOf({ database }: Billing, accountId: string): Promise<BillingCustomer> {
  const customer = await database.client.billingCustomer.findUnique({ where: { accountId } })
  if (customer) return customer
  throw new Failure({
    code: 'OUTGROW_BILLING_NO_CUSTOMER',
    message: `Account ${accountId} has no customer at Stripe yet.`,
    fix: 'Create one with createCheckout first.',
  })
}
