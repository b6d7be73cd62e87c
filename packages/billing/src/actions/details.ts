import type { Stripe } from 'stripe'
import { timeOf, type Billing } from '../context.ts'
import { isRunning } from '../state/statuses.ts'
import type { StoredSubscription } from '../store.ts'
import { customerOf } from './customer.ts'
import { invoiceSummary, type InvoiceSummary } from './invoices.ts'
import { liveSubscription, type LiveSubscription } from './live-subscription.ts'
import { isOurs, nextPhaseOf } from './planned-change.ts'

/** What only a page shows: nothing of it is stored here. Amounts are in the currency's smallest unit. */
export interface BillingDetails {
  /** What the plan becomes when what is paid has been used. */
  scheduled:
    | {
        planId: string | undefined
        seats: number
        at: Date
        /** It was not made here, and cannot be taken back here. */
        byOperator: boolean
      }
    | undefined
  /** An upgrade that is made when its invoice is paid, and given up at that time. */
  waiting: { planId: string | undefined; seats: number; expiresAt: Date } | undefined
  nextInvoice: { amount: number; currency: string; at: Date } | undefined
  discounts: { name: string; endsAt: Date | undefined }[]
  /** The newest first, without drafts and those that were voided. */
  invoices: InvoiceSummary[]
}

/** A page that waits longer than this shows what is stored. */
const bounded: Stripe.RequestOptions = { timeout: 4000, maxNetworkRetries: 0 }
const maxAgeMs = 60_000
const maxEntries = 1000
const shownInvoices = 12

interface Entry {
  at: number
  details: Promise<BillingDetails>
}

const caches = new WeakMap<Stripe, Map<string, Entry>>()

/**
 * What Stripe knows of an account beyond what is stored, kept for a minute or until the customer is next synchronized: so a
 * change is seen at once, by whichever process it was made. Three calls, each of four seconds at most.
 * @throws Failure OUTGROW_BILLING_NO_CUSTOMER; what Stripe’s SDK throws when Stripe cannot be reached
 */
export async function billingDetails(billing: Billing, accountId: string): Promise<BillingDetails> {
  const { id, stripeCustomerId, appliedSeq } = await customerOf(billing, accountId)
  const cache = caches.get(billing.stripe) ?? new Map<string, Entry>()
  caches.set(billing.stripe, cache)
  const key = `${id}:${appliedSeq}`
  const now = timeOf(billing).getTime()
  const known = cache.get(key)
  if (known && now - known.at < maxAgeMs) return known.details
  const [running] = (await billing.store.subscriptions.ofCustomer(id))
    .filter(({ status }) => isRunning(status))
    .toSorted((a, b) => (a.startedAt?.getTime() ?? 0) - (b.startedAt?.getTime() ?? 0))
  const details = ask(billing, stripeCustomerId, running)
  cache.delete(key)
  cache.set(key, { at: now, details })
  for (const oldest of cache.keys()) {
    if (cache.size <= maxEntries) break
    cache.delete(oldest)
  }
  details.catch(() => cache.delete(key))
  return details
}

async function ask(
  { store, stripe }: Billing,
  customer: string,
  stored: StoredSubscription | undefined,
): Promise<BillingDetails> {
  const live = stored && (await liveSubscription(stripe, stored.stripeSubscriptionId, bounded))
  const [nextInvoice, invoices, prices] = await Promise.all([
    live && upcomingInvoice(stripe, live),
    stripe.invoices.list({ customer, limit: shownInvoices }, bounded),
    store.access.prices(),
  ])
  const planOf = new Map(prices.map(({ stripePriceId, planId }) => [stripePriceId, planId]))
  return {
    scheduled: scheduledOf(live, planOf),
    waiting: waitingOf(live, planOf),
    nextInvoice,
    discounts: (live?.discounts ?? []).map(({ end, source: { coupon } }) => ({
      name: coupon === null ? 'Discount' : typeof coupon === 'string' ? coupon : (coupon.name ?? coupon.id),
      endsAt: end === null ? undefined : new Date(end * 1000),
    })),
    invoices: invoices.data.flatMap((invoice) => invoiceSummary(invoice) ?? []),
  }
}

function scheduledOf(
  live: LiveSubscription | undefined,
  planOf: ReadonlyMap<string, string>,
): BillingDetails['scheduled'] {
  const phase = nextPhaseOf(live?.schedule ?? null)
  if (!phase) return undefined
  const line = planLine(phase.items, planOf)
  return {
    ...line,
    at: new Date(phase.start_date * 1000),
    byOperator: live?.schedule ? !isOurs(live.schedule) : false,
  }
}

function waitingOf(
  live: LiveSubscription | undefined,
  planOf: ReadonlyMap<string, string>,
): BillingDetails['waiting'] {
  const update = live?.pending_update
  if (!update) return undefined
  const line = planLine(update.subscription_items ?? live.items, planOf)
  return { ...line, expiresAt: new Date(update.expires_at * 1000) }
}

function planLine(
  items: readonly { price: string | { id: string }; quantity?: number | undefined }[],
  planOf: ReadonlyMap<string, string>,
): { planId: string | undefined; seats: number } {
  const priced = items.map(({ price, quantity = 1 }) => ({
    planId: planOf.get(typeof price === 'string' ? price : price.id),
    seats: quantity,
  }))
  return priced.find(({ planId }) => planId !== undefined) ?? { planId: undefined, seats: 1 }
}

/** Undefined where none will come, as after a cancel or in a pause, or nobody can say what of. */
async function upcomingInvoice(
  stripe: Stripe,
  { id, items, schedule }: LiveSubscription,
): Promise<BillingDetails['nextInvoice']> {
  const phase = nextPhaseOf(schedule)
  if (phase && phase.items.length !== items.length) return undefined
  try {
    const { amount_due: amount, currency } = await stripe.invoices.createPreview(
      {
        subscription: id,
        // What a scheduled phase makes of it: without that the preview is of the plan of now.
        ...(phase && {
          subscription_details: {
            items: phase.items.map(({ price, quantity = 1 }, at) => ({
              id: items[at]?.id ?? '',
              price: typeof price === 'string' ? price : price.id,
              quantity,
            })),
            proration_behavior: 'none' as const,
          },
        }),
      },
      bounded,
    )
    const at = Math.min(...items.map(({ current_period_end: end }) => end))
    return { amount, currency, at: new Date(at * 1000) }
  } catch (error) {
    if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
    return undefined
  }
}
