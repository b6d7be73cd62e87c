import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { isRunning, SubscriptionStatus } from '../state/statuses.ts'
import type { Customer, StoredSubscription } from '../store.ts'
import { syncCustomer } from '../sync/sync-customer.ts'

/**
 * Asks Stripe what the customer has, since a webhook may be late, and refuses one who would pay twice. A first payment
 * that failed is called off: its invoice could still be paid beside a new subscription.
 * @returns false when the customer was deleted at Stripe, and maybe replaced since
 * @throws Failure OUTGROW_BILLING_SUBSCRIBED
 */
export async function checkPayer(billing: Billing, customer: Customer): Promise<boolean> {
  const { stripeCustomerId } = customer
  const incomplete = await incompleteAfterSync(billing, customer)
  for (const { stripeSubscriptionId: subscription } of incomplete) {
    const open = await openInvoices(billing.stripe, subscription)
    for (const invoice of open)
      if (await isBeingPaid(billing.stripe, invoice)) throw subscribed(customer, 'has a payment under way')
    for (const { id } of open) await voidInvoice(billing.stripe, id)
  }
  // One of them may have been paid just before.
  if (incomplete.length > 0) await incompleteAfterSync(billing, customer)
  const current = await billing.store.customers.ofStripe(stripeCustomerId)
  return current?.stripeCustomerId === stripeCustomerId && !current.deleted
}

async function incompleteAfterSync(billing: Billing, customer: Customer): Promise<StoredSubscription[]> {
  const { id: customerId, stripeCustomerId } = customer
  await syncCustomer(billing, { customerId, stripeCustomerId })
  const subscriptions = await billing.store.subscriptions.ofCustomer(customerId)
  if (subscriptions.some(({ status }) => isRunning(status)))
    throw subscribed(customer, 'already has a subscription')
  return subscriptions.filter(({ status }) => status === SubscriptionStatus.INCOMPLETE)
}

function openInvoices(stripe: Stripe, subscription: string): Promise<Stripe.Invoice[]> {
  const request = { subscription, status: 'open' as const, limit: 100, expand: ['data.payments'] }
  return stripe.invoices.list(request).autoPagingToArray({ limit: 1000 })
}

/** A bank debit, for example, is decided in days. */
async function isBeingPaid(stripe: Stripe, { payments }: Stripe.Invoice): Promise<boolean> {
  for (const { payment } of payments?.data ?? []) {
    const intent = payment.payment_intent
    const id = typeof intent === 'string' ? intent : intent?.id
    if (id !== undefined && (await stripe.paymentIntents.retrieve(id)).status === 'processing') return true
  }
  return false
}

/** Unlike a cancellation this cannot hit a subscription that was paid for a moment ago: Stripe refuses it then. */
async function voidInvoice(stripe: Stripe, id: string): Promise<void> {
  try {
    await stripe.invoices.voidInvoice(id)
  } catch (error) {
    if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
  }
}

function subscribed({ accountId }: Customer, what: string): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_SUBSCRIBED',
    message: `Account ${accountId} ${what}.`,
    why: 'The customer would pay for both.',
    fix: 'Use changePlan, or send the customer to the portal.',
  })
}
