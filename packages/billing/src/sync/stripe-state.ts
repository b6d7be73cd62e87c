import type { Stripe } from 'stripe'
import { isNoCustomer } from '../link/no-customer.ts'

/** What Stripe says of one customer. Times are Dates, ids are Stripe's. */
export interface StripeState {
  deleted: boolean
  email: string | null
  subscriptions: StripeSubscriptionState[]
  /** Lookup keys of Stripe's active entitlements, all pages of them; empty when they were not asked for. */
  features: string[]
}

export interface StripeSubscriptionState {
  id: string
  /** As Stripe writes it. */
  status: string
  cancelAt: Date | null
  cancelAtPeriodEnd: boolean
  trialEnd: Date | null
  endedAt: Date | null
  createdAt: Date
  /** May be set to a date before it was made. */
  startedAt: Date
  collectionPaused: boolean
  /** While it is past due: when the oldest invoice that is open was to be paid. */
  owedSince: Date | null
  items: StripeItemState[]
}

export interface StripeItemState {
  id: string
  priceId: string
  quantity: number
  currentPeriodStart: Date
  currentPeriodEnd: Date
}

/** Asks Stripe for everything that matters of a customer, in one call where it can. No transaction may be open meanwhile. */
export async function fetchStripeState(
  stripe: Stripe,
  customerId: string,
  stripeEntitlements: boolean,
): Promise<StripeState> {
  const listed = await listSubscriptions(stripe, customerId)
  const [first] = listed
  // Without a subscription there is none that the customer comes with.
  const customer =
    first && typeof first.customer !== 'string' ? first.customer : await stripe.customers.retrieve(customerId)
  const subscriptions: StripeSubscriptionState[] = []
  for (const subscription of listed) subscriptions.push(await subscriptionStateOf(stripe, subscription))
  const features: string[] = []
  if (stripeEntitlements && !customer.deleted) {
    // An event carries ten of them at most: they are listed.
    for await (const entitlement of stripe.entitlements.activeEntitlements.list({
      customer: customerId,
      limit: 100,
    })) {
      features.push(entitlement.lookup_key)
    }
  }
  return {
    deleted: customer.deleted === true,
    email: customer.deleted ? null : customer.email,
    subscriptions: subscriptions.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    features,
  }
}

/** All of a customer's subscriptions; none of one that was deleted, where Stripe refuses to list them. */
async function listSubscriptions(stripe: Stripe, customer: string): Promise<Stripe.Subscription[]> {
  const subscriptions: Stripe.Subscription[] = []
  try {
    for await (const one of stripe.subscriptions.list({
      customer,
      status: 'all',
      limit: 100,
      expand: ['data.customer'],
    })) {
      subscriptions.push(one)
    }
  } catch (error) {
    if (!isNoCustomer(error)) throw error
  }
  return subscriptions
}

/** One subscription with all its items. */
async function subscriptionStateOf(
  stripe: Stripe,
  subscription: Stripe.Subscription,
): Promise<StripeSubscriptionState> {
  let items = subscription.items.data
  if (subscription.items.has_more) {
    items = []
    for await (const item of stripe.subscriptionItems.list({ subscription: subscription.id, limit: 100 }))
      items.push(item)
  }
  return {
    id: subscription.id,
    status: subscription.status,
    cancelAt: dateOf(subscription.cancel_at),
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    trialEnd: dateOf(subscription.trial_end),
    endedAt: dateOf(subscription.ended_at),
    createdAt: new Date(subscription.created * 1000),
    startedAt: new Date(subscription.start_date * 1000),
    collectionPaused: subscription.pause_collection !== null,
    owedSince: subscription.status === 'past_due' ? await owedSince(stripe, subscription.id) : null,
    items: items
      .map((item) => ({
        id: item.id,
        priceId: item.price.id,
        quantity: item.quantity ?? 1,
        currentPeriodStart: new Date(item.current_period_start * 1000),
        currentPeriodEnd: new Date(item.current_period_end * 1000),
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/** The latest invoice does not say it: more may have been made while the first one is owed. */
async function owedSince(stripe: Stripe, subscription: string): Promise<Date | null> {
  let since: number | null = null
  for await (const invoice of stripe.invoices.list({ subscription, status: 'open', limit: 100 })) {
    if (invoice.status !== 'open') continue
    const due = invoice.due_date ?? invoice.status_transitions.finalized_at ?? invoice.created
    since = Math.min(since ?? due, due)
  }
  return dateOf(since)
}

function dateOf(seconds: number | null): Date | null {
  return seconds === null ? null : new Date(seconds * 1000)
}
