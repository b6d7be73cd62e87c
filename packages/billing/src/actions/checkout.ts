import { createHash } from 'node:crypto'
import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { isNoCustomer } from '../link/no-customer.ts'
import type { Customer } from '../store.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { checkPayer } from './check-payer.ts'
import { checkoutOptions, trialParams, type CheckoutOptions, type Trial } from './checkout-options.ts'
import { customerOf, ensureCustomer, noCustomer } from './customer.ts'
import { closeOthers, openSession } from './open-session.ts'

export interface CheckoutRequest {
  accountId: string
  planId: string
  email?: string
  /** How many of the plan; 1 when it is not given. */
  seats?: number
  /** For an account that had no subscription before. */
  trial?: Trial | undefined
  options?: CheckoutOptions | undefined
  /** `{CHECKOUT_SESSION_ID}` in it becomes the session's id. */
  successUrl: string
  cancelUrl: string
}

/**
 * Starts Stripe Checkout for a plan and returns the page's address. The same intent gets the same session, so that a
 * double click or a retry makes no second one.
 * @throws Failure OUTGROW_BILLING_PLAN, OUTGROW_BILLING_SUBSCRIBED, OUTGROW_BILLING_CHANGE_PENDING,
 * OUTGROW_BILLING_CHECKOUT_OPTION
 */
export async function createCheckout(
  billing: Billing,
  request: CheckoutRequest,
): Promise<{ id: string; url: string }> {
  const { accountId, planId, email, seats = 1, trial, options, successUrl, cancelUrl } = request
  const { access, subscriptions: stored } = billing.store
  const passedOptions = checkoutOptions(options)
  const plan = await access.plan(planId)
  if (!plan?.active || plan.stripePriceId === null) {
    throw new Failure({
      code: 'OUTGROW_BILLING_PLAN',
      message: `Plan ${planId} is unknown, inactive or has no price at Stripe.`,
      fix: 'Offer an active plan that has a price at Stripe.',
    })
  }
  const { stripePriceId: price } = plan
  const sessionOf = async (customer: Customer) =>
    openSession(billing, {
      customer,
      intent: intentOf([
        price,
        seats,
        trial,
        options,
        successUrl,
        cancelUrl,
        (await stored.ofCustomer(customer.id)).length,
      ]),
      paramsOf: async () => {
        if (!(await checkPayer(billing, customer))) return undefined
        return {
          ...passedOptions,
          ...trialParams(trial, await stored.ofCustomer(customer.id)),
          mode: 'subscription',
          customer: customer.stripeCustomerId,
          client_reference_id: accountId,
          line_items: [{ price, quantity: seats }],
          success_url: successUrl,
          cancel_url: cancelUrl,
        }
      },
    })
  const session =
    (await sessionOf(await ensureCustomer(billing, accountId, email))) ??
    // It was deleted at Stripe, which had not been heard of.
    (await sessionOf(await ensureCustomer(billing, accountId, email)))
  if (!session || session.url === null) throw new Error(`account ${accountId} got no page`)
  return { id: session.id, url: session.url }
}

/** The same for requests that are the same. */
function intentOf(request: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32)
}

/**
 * The customer portal's address.
 * @throws Failure OUTGROW_BILLING_NO_CUSTOMER, also for one that was deleted at Stripe
 */
export async function createPortal(
  billing: Billing,
  accountId: string,
  returnUrl: string,
): Promise<{ url: string }> {
  const { stripeCustomerId: customer } = await customerOf(billing, accountId)
  try {
    const { url } = await billing.stripe.billingPortal.sessions.create({ customer, return_url: returnUrl })
    return { url }
  } catch (error) {
    if (!isNoCustomer(error)) throw error
    throw noCustomer(accountId, error)
  }
}

/**
 * What the success page calls: the same fenced synchronisation as the webhook's, which it may race.
 * @returns whether the session is paid, or needs no payment yet
 * @throws Failure OUTGROW_BILLING_SESSION when it is not the account's own session
 */
export async function completeCheckout(
  billing: Billing,
  accountId: string,
  sessionId: string,
): Promise<{ paid: boolean }> {
  const customer = await customerOf(billing, accountId)
  const session = await sessionOf(billing, accountId, sessionId)
  const owner = typeof session.customer === 'string' ? session.customer : session.customer?.id
  // The address bar can hold anybody's session: the stored customer decides, not metadata.
  if (owner !== customer.stripeCustomerId) throw notOwn(accountId, sessionId)
  await closeOthers(billing.stripe, customer.stripeCustomerId, sessionId)
  await syncCustomer(billing, { customerId: customer.id, stripeCustomerId: customer.stripeCustomerId })
  return { paid: session.status === 'complete' && session.payment_status !== 'unpaid' }
}

async function sessionOf(
  { stripe }: Billing,
  accountId: string,
  sessionId: string,
): Promise<Stripe.Checkout.Session> {
  try {
    return await stripe.checkout.sessions.retrieve(sessionId)
  } catch (error) {
    throw (error as { code?: string }).code === 'resource_missing' ? notOwn(accountId, sessionId) : error
  }
}

function notOwn(accountId: string, sessionId: string): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_SESSION',
    message: `Checkout session ${sessionId} does not belong to account ${accountId}.`,
    fix: 'Show the billing state of the signed-in account instead.',
  })
}
