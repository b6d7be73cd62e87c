import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { SubscriptionStatus, statusOf } from '../state/statuses.ts'
import { impossible, oldest } from './change.ts'
import { amountOf, timingOf } from './change-timing.ts'
import { customerOf } from './customer.ts'
import { liveSubscription, planItemOf, type LiveSubscription } from './live-subscription.ts'
import { nextPhaseOf, refuseOthersSchedule } from './planned-change.ts'

/** What is wanted instead: what is left out stays as it is. */
export interface PlanChange {
  planId?: string | undefined
  /** How many of the plan, 1 at least. */
  seats?: number | undefined
}

/** What a change would do, before it is made. */
export interface ChangePreview {
  /** `none` when everything is so already. */
  when: 'none' | 'now' | 'period-end'
  /** When a change that waits is made. */
  at: Date
  /** What is charged now, in the currency's smallest unit; 0 when nothing is. */
  dueNow: number
  /** What a period costs from then on, before discounts and taxes; undefined for a price with tiers. */
  perPeriod: number | undefined
  currency: string
  /** Whether it takes the place of a change that is scheduled, or that waits for its payment. */
  replacesPlanned: boolean
  /** What was looked at. Pass it to `changePlan`, so that what was shown is what is charged. */
  confirmation: Confirmation
}

export interface Confirmation {
  /** The price and the quantity that it starts from. */
  priceId: string
  quantity: number
  /** The price that it leads to: a plan may have another one by the time it is confirmed. */
  toPriceId: string
  dueNow: number
  /** The moment that the amount is for, in seconds since 1970; 0 when nothing is charged. */
  prorationDate: number
}

/** A change that has been looked up at Stripe. */
export interface ResolvedChange {
  live: LiveSubscription
  item: Stripe.SubscriptionItem
  price: Stripe.Price
  quantity: number
  when: ChangePreview['when']
  /** Nothing has been paid for its period. */
  isTrial: boolean
}

/**
 * Says what another plan or number of seats would cost, and when it would begin. Changes nothing.
 * @throws Failure OUTGROW_BILLING_PLAN, OUTGROW_BILLING_NO_SUBSCRIPTION, OUTGROW_BILLING_UNCHANGEABLE
 */
export async function previewChange(
  billing: Billing,
  accountId: string,
  wanted: PlanChange,
): Promise<ChangePreview> {
  const { id } = await customerOf(billing, accountId)
  const name = 'a change of plan'
  const stored = oldest(await billing.store.subscriptions.ofCustomer(id), canChange, accountId, name)
  const live = await liveSubscription(billing.stripe, stored.stripeSubscriptionId)
  if (!canChange(statusOf(live.status))) throw impossible(accountId, name, [live.status])
  const change = await resolveChange(billing, live, wanted)
  const { item, price, quantity, when } = change
  const due = await dueNow(billing.stripe, change)
  return {
    when,
    at: new Date(item.current_period_end * 1000),
    dueNow: due.amount,
    perPeriod: amountOf({ price, quantity }),
    currency: price.currency,
    replacesPlanned: nextPhaseOf(live.schedule) !== undefined || live.pending_update !== null,
    confirmation: {
      priceId: item.price.id,
      quantity: item.quantity ?? 1,
      toPriceId: price.id,
      dueNow: due.amount,
      prorationDate: due.prorationDate,
    },
  }
}

/** What can be changed: what is owed for is paid first, and what is paused is resumed first. */
export function canChange(status: SubscriptionStatus): boolean {
  return status === SubscriptionStatus.ACTIVE || status === SubscriptionStatus.TRIALING
}

/** Looks up what a change starts from and leads to. */
export async function resolveChange(
  { store, stripe }: Billing,
  live: LiveSubscription,
  { planId, seats }: PlanChange,
): Promise<ResolvedChange> {
  if (seats !== undefined && !(Number.isSafeInteger(seats) && seats >= 1)) {
    throw unchangeable(`${seats} is not a number of seats.`, 'Ask for 1 seat at least.')
  }
  refuseUnchangeable(live)
  const item = await planItemOf(store, live)
  let price = item.price
  if (planId !== undefined) {
    const plan = await store.access.plan(planId)
    if (!plan?.active || plan.stripePriceId === null) throw noSuchPlan(planId)
    // Who pays a plan's former price keeps it, unless the plan itself changes.
    const former = (await store.access.prices()).find(({ stripePriceId }) => stripePriceId === price.id)
    if (former?.planId !== planId) price = await stripe.prices.retrieve(plan.stripePriceId)
  }
  const quantity = seats ?? item.quantity ?? 1
  const isTrial = live.status === 'trialing'
  const when = timingOf({ price: item.price, quantity: item.quantity ?? 1 }, { price, quantity }, isTrial)
  if (when === 'period-end' && (live.cancel_at !== null || live.cancel_at_period_end)) {
    throw unchangeable('The subscription ends before the change would begin.', 'Resume it first.')
  }
  return { live, item, price, quantity, when, isTrial }
}

function refuseUnchangeable(live: LiveSubscription): void {
  const { collection_method, pause_collection } = live
  refuseOthersSchedule(live)
  if (collection_method === 'send_invoice' || pause_collection !== null) {
    throw unchangeable(
      'The subscription is paid by invoice, or its collection is paused: an upgrade would not be paid.',
      'Change it in Stripe’s dashboard.',
    )
  }
}

/** What a change that is made now is charged, for now or for a moment that was looked at before. */
export async function dueNow(
  stripe: Stripe,
  change: ResolvedChange,
  prorationDate?: number,
): Promise<{ amount: number; prorationDate: number }> {
  const { live, when, isTrial } = change
  if (when !== 'now' || isTrial) return { amount: 0, prorationDate: 0 }
  const { amount_due: amount, parent } = await stripe.invoices.createPreview({
    subscription: live.id,
    subscription_details: {
      items: [lineOfChange(change)],
      proration_behavior: 'always_invoice',
      ...(prorationDate !== undefined && { proration_date: prorationDate }),
    },
  })
  const moment = parent?.subscription_details?.subscription_proration_date ?? prorationDate
  if (moment === undefined) throw new Error('Stripe’s preview does not say which moment it is for')
  return { amount, prorationDate: moment }
}

/** Without a quantity Stripe takes 1 for a new price. A price that stays is not named: it may be sold no more. */
export function lineOfChange({ item, price, quantity }: ResolvedChange) {
  return { id: item.id, quantity, ...(price.id !== item.price.id && { price: price.id }) }
}

function noSuchPlan(planId: string): Failure {
  return new Failure({
    code: 'OUTGROW_BILLING_PLAN',
    message: `Plan ${planId} is unknown, inactive or has no price at Stripe.`,
    fix: 'Offer an active plan that has a price at Stripe.',
  })
}

export function unchangeable(message: string, fix: string, cause?: unknown): Failure {
  return new Failure({ code: 'OUTGROW_BILLING_UNCHANGEABLE', message, fix, cause })
}
