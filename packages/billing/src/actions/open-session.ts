import { createHash } from 'node:crypto'
import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import type { CheckoutMark, Customer } from '../store.ts'
import { withFreshKey } from './idempotency-key.ts'

type Session = Stripe.Checkout.Session
type Params = Stripe.Checkout.SessionCreateParams

export interface SessionRequest {
  customer: Customer
  /** The same for requests that are the same. */
  intent: string
  /** Asked when no other page is open any more: what it then finds paid, it must refuse. Undefined ends it. */
  paramsOf(): Promise<Params | undefined>
}

/** An intent is started anew when the page that it led to is over. */
const maxAttempts = 5
const intentKey = 'outgrow_intent'

/**
 * Opens the one page on which a customer can pay. Each request first writes down that it is the last one; then it closes
 * pages of other intents, and opens or finds its own; and only while it is still the last one is the page's address
 * handed out. So there are never two addresses that both can be paid, whoever crashes in between. The same intent twice
 * at once has one number, hence one idempotency key, hence one page.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, and what `paramsOf` throws
 */
export async function openSession(billing: Billing, request: SessionRequest): Promise<Session | undefined> {
  const { customer, intent, paramsOf } = request
  const { stripe, store } = billing
  let over: CheckoutMark | undefined
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const { mark, isNew } = await begin(billing, customer.id, intent, over)
    const own = await closeOthers(
      stripe,
      customer.stripeCustomerId,
      ({ metadata }) => metadata?.[intentKey] === intent,
    )
    const params = await paramsOf()
    if (!params) return undefined
    const session = own ?? (await create(stripe, mark, params, isNew))
    if (session.status === 'open') {
      const last = (await store.customers.ofAccount(customer.accountId))?.checkout
      if (last?.number === mark.number) return session
      await expire(stripe, session.id)
      throw superseded(customer)
    }
    over = mark
  }
  throw new Error(`${maxAttempts} Checkout sessions of ${customer.stripeCustomerId} were over at once`)
}

function begin(
  { store }: Billing,
  customerId: string,
  intent: string,
  over: CheckoutMark | undefined,
): Promise<{ mark: CheckoutMark; isNew: boolean }> {
  return store.transaction(async (tx) => {
    const { checkout } = await tx.fence.lock(customerId)
    if (checkout?.intent === intent && checkout.number !== over?.number)
      return { mark: checkout, isNew: false }
    return { mark: await tx.customers.beginCheckout(customerId, intent), isNew: true }
  })
}

async function create(
  { checkout: { sessions } }: Stripe,
  { number, intent }: CheckoutMark,
  params: Params,
  isNew: boolean,
): Promise<Session> {
  const content = createHash('sha256').update(JSON.stringify(params)).digest('hex').slice(0, 16)
  const session = await withFreshKey(
    `checkout:${String(params.customer)}:${number}:${content}`,
    (idempotencyKey) =>
      sessions.create(
        { ...params, metadata: { ...params.metadata, [intentKey]: intent } },
        { idempotencyKey },
      ),
  )
  // What a key that was used before answers is how the session was when it was made.
  return isNew ? session : sessions.retrieve(session.id)
}

/** Two pages that are open can both be paid: all but one of a customer's are closed. Returns that one. */
export async function closeOthers(
  stripe: Stripe,
  customer: string,
  isKept: (session: Session) => boolean,
): Promise<Session | undefined> {
  const { sessions } = stripe.checkout
  let kept: Session | undefined
  for await (const session of sessions.list({ customer, status: 'open', limit: 100 })) {
    if (kept === undefined && isKept(session)) kept = session
    else await expire(stripe, session.id)
  }
  return kept
}

/** Paid or expired meanwhile, it stays what it is: a subscription that it made is found at Stripe. */
async function expire({ checkout: { sessions } }: Stripe, id: string): Promise<void> {
  try {
    await sessions.expire(id)
  } catch (error) {
    if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
  }
}

function superseded({ accountId }: Customer): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_CHANGE_PENDING',
    message: `Another Checkout of account ${accountId} was opened meanwhile.`,
    why: 'Of two pages that are open, both could be paid.',
    fix: 'Go on with the page that was opened last, or try again.',
  })
}
