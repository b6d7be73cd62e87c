import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { isNoCustomer } from '../link/no-customer.ts'
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
/** On a session: the number of the request that it was opened for. */
const numberKey = 'outgrow_checkout'

/**
 * Opens the one page on which a customer can pay. Each request first draws a number; then it closes the pages of earlier
 * ones, and opens or finds its own; and only while its number is the last one is the page's address handed out. So
 * there are never two addresses that both can be paid, whoever crashes in between, and the last request always gets its
 * page. The same intent twice at once has one number, hence one idempotency key, hence one page.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, and what `paramsOf` throws
 */
export async function openSession(billing: Billing, request: SessionRequest): Promise<Session | undefined> {
  const { customer, intent, paramsOf } = request
  const { stripe, store } = billing
  let over: CheckoutMark | undefined
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const { mark, isNew } = await begin(billing, customer.id, intent, over)
    const own = await closeEarlier(stripe, customer.stripeCustomerId, mark)
    const params = await paramsOf()
    if (!params) return undefined
    const session = own ?? (await create(stripe, mark, params, isNew))
    if (session?.status === 'open') {
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

/** Undefined when the number has led to a page with other terms before. */
async function create(
  { checkout: { sessions } }: Stripe,
  { number }: CheckoutMark,
  params: Params,
  isNew: boolean,
): Promise<Session | undefined> {
  const numbered = { ...params, metadata: { ...params.metadata, [numberKey]: String(number) } }
  try {
    const session = await withFreshKey(`checkout:${String(params.customer)}:${number}`, (idempotencyKey) =>
      sessions.create(numbered, { idempotencyKey }),
    )
    // What a key that was used before answers is how the session was when it was made.
    return isNew ? session : await sessions.retrieve(session.id)
  } catch (error) {
    if ((error as { type?: string }).type !== 'StripeIdempotencyError') throw error
    return undefined
  }
}

/** Returns the page of this number. One of a later request stays: that one knows which is the last. */
async function closeEarlier(
  stripe: Stripe,
  customer: string,
  { number }: CheckoutMark,
): Promise<Session | undefined> {
  let own: Session | undefined
  for await (const session of openPages(stripe, customer)) {
    const of = Number(session.metadata?.[numberKey] ?? 0)
    // A second one of this number is left by an answer that was lost at Stripe: the newest is kept.
    if (of === number && own === undefined) own = session
    else if (!(of > number)) await expire(stripe, session.id)
  }
  return own
}

/** Two pages that are open can both be paid: all others of a customer are closed. */
export async function closeOthers(stripe: Stripe, customer: string, kept: string): Promise<void> {
  for await (const { id } of openPages(stripe, customer)) if (id !== kept) await expire(stripe, id)
}

/**
 * Pages on which a customer can begin a subscription, the newest first; none of one that was deleted. Those for anything else
 * are the application's own.
 */
async function* openPages(stripe: Stripe, customer: string): AsyncGenerator<Session> {
  try {
    for await (const session of stripe.checkout.sessions.list({ customer, status: 'open', limit: 100 }))
      if (session.mode === 'subscription') yield session
  } catch (error) {
    if (!isNoCustomer(error)) throw error
  }
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
