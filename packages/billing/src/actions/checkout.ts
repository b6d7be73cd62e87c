import { createHash } from 'node:crypto'
import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import { isRunning } from '../state/statuses.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { customerOf, ensureCustomer } from './customer.ts'
import { withFreshKey } from './idempotency-key.ts'

export interface CheckoutRequest {
  accountId: string
  planId: string
  email?: string
  trialDays?: number
  /** `{CHECKOUT_SESSION_ID}` in it becomes the session's id. */
  successUrl: string
  cancelUrl: string
}

/**
 * Starts Stripe Checkout for a plan and returns the page's address. The same intent gets the same session, so that a
 * double click or a retry makes no second one.
 * @throws Failure OUTGROW_BILLING_PLAN, OUTGROW_BILLING_SUBSCRIBED
 */
export async function createCheckout(
  billing: Billing,
  request: CheckoutRequest,
): Promise<{ id: string; url: string }> {
  const { accountId, planId, email, trialDays, successUrl, cancelUrl } = request
  const { access, subscriptions: stored } = billing.store
  const plan = await access.plan(planId)
  if (!plan?.active || plan.stripePriceId === null) {
    throw new Failure({
      code: 'OUTGROW_BILLING_PLAN',
      message: `Plan ${planId} is unknown, inactive or has no price at Stripe.`,
      fix: 'Offer an active plan that has a price at Stripe.',
    })
  }
  const customer = await ensureCustomer(billing, accountId, email)
  const subscriptions = await stored.ofCustomer(customer.id)
  if (subscriptions.some(({ status }) => isRunning(status))) {
    throw new Failure({
      code: 'OUTGROW_BILLING_SUBSCRIBED',
      message: `Account ${accountId} already has a subscription.`,
      why: 'The customer would pay for both.',
      fix: 'Use changePlan, or send the customer to the portal.',
    })
  }
  const params = {
    mode: 'subscription' as const,
    customer: customer.stripeCustomerId,
    client_reference_id: accountId,
    line_items: [{ price: plan.stripePriceId, quantity: 1 }],
    success_url: successUrl,
    cancel_url: cancelUrl,
    ...(trialDays === undefined ? {} : { subscription_data: { trial_period_days: trialDays } }),
  }
  const session = await openSession(billing, accountId, params, subscriptions.length)
  await expireOthers(billing, customer.stripeCustomerId, session.id)
  if (session.url === null) throw new Error(`session ${session.id} has no URL`)
  return { id: session.id, url: session.url }
}

/** The session of a intent; one that has expired or was paid meanwhile is not handed out again. */
function openSession(
  billing: Billing,
  accountId: string,
  params: Stripe.Checkout.SessionCreateParams,
  subscriptions: number,
): Promise<Stripe.Checkout.Session> {
  const { sessions } = billing.stripe.checkout
  const intent = createHash('sha256')
    .update(JSON.stringify([params, subscriptions]))
    .digest('hex')
    .slice(0, 32)
  return withFreshKey(
    `checkout:${accountId}:${intent}`,
    timeOf(billing),
    async (idempotencyKey) => {
      const { id } = await sessions.create(params, { idempotencyKey })
      // What a key answers is how the session was when it was made.
      return sessions.retrieve(id)
    },
    ({ status }) => status === 'open',
  )
}

/** Two pages that are open can both be paid: all but one of a customer's are closed. */
async function expireOthers({ stripe }: Billing, customer: string, kept: string): Promise<void> {
  for await (const { id } of stripe.checkout.sessions.list({ customer, status: 'open', limit: 100 })) {
    if (id === kept) continue
    try {
      await stripe.checkout.sessions.expire(id)
    } catch (error) {
      // Paid or expired meanwhile: a second subscription is told through the outbox.
      if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
    }
  }
}

/** The customer portal's address. */
export async function createPortal(
  billing: Billing,
  accountId: string,
  returnUrl: string,
): Promise<{ url: string }> {
  const { stripeCustomerId } = await customerOf(billing, accountId)
  const { url } = await billing.stripe.billingPortal.sessions.create({
    customer: stripeCustomerId,
    return_url: returnUrl,
  })
  return { url }
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
  await expireOthers(billing, customer.stripeCustomerId, sessionId)
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
