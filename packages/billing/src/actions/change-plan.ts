import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { isRunning } from '../state/statuses.ts'
import { change, type ChangeContext } from './change.ts'
import { liveSubscription } from './live-subscription.ts'
import { dropPlannedChange, planChange, refuseOthersSchedule } from './planned-change.ts'
import {
  canChange,
  dueNow,
  resolveChange,
  type Confirmation,
  type PlanChange,
  type ResolvedChange,
} from './preview.ts'

/** How long what a preview showed can be had, in seconds. */
const confirmationSeconds = 1800

export type ChangeResult =
  /** It was so already; what was planned instead is given up. */
  | { status: 'unchanged' }
  /** It is so now, and paid. */
  | { status: 'changed' }
  /** It will be so when what is paid has been used. */
  | { status: 'scheduled'; at: Date }
  /** The bank wants to be asked, or the card was declined: it will be so when the invoice is paid, or is given up. */
  | { status: 'payment-needed'; payUrl: string | null; expiresAt: Date }

/**
 * Moves to another plan, another number of seats, or both. What costs more begins now and is paid now; what costs less begins
 * when what is paid has been used; on a trial everything begins now, and nothing is charged. An upgrade that is not paid
 * leaves the old plan as it is.
 * @param confirmed what `previewChange` showed: then that amount is charged, or nothing is changed
 * @throws Failure OUTGROW_BILLING_PLAN, OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION,
 * OUTGROW_BILLING_UNCHANGEABLE, OUTGROW_BILLING_CHANGED
 */
export async function changePlan(
  billing: Billing,
  accountId: string,
  wanted: PlanChange,
  confirmed?: Confirmation,
): Promise<ChangeResult> {
  const name = `plan-${wanted.planId ?? 'same'}-${wanted.seats ?? 'same'}`
  return change(billing, accountId, name, canChange, async (context) => {
    const resolved = await resolveChange(billing, context.subscription, wanted)
    if (confirmed) await refuseOutdated(context.stripe, resolved, confirmed)
    const { live, item, price, quantity, when } = resolved
    if (when === 'period-end') {
      if (live.pending_update) await dropPlannedChange(context, { ...live, schedule: null })
      const at = await planChange(context, live, item, {
        priceId: price.id,
        quantity,
        recurring: price.recurring,
      })
      return { status: 'scheduled', at }
    }
    await dropPlannedChange(context, live)
    return when === 'none' ? { status: 'unchanged' } : makeNow(context, resolved, confirmed)
  })
}

async function makeNow(
  { stripe, key }: ChangeContext,
  { live, item, price, quantity, isTrial }: ResolvedChange,
  confirmed: Confirmation | undefined,
): Promise<ChangeResult> {
  // Without a quantity Stripe takes 1 for a new price.
  const items = [{ id: item.id, price: price.id, quantity }]
  const payment: Stripe.SubscriptionUpdateParams = isTrial
    ? { proration_behavior: 'none' }
    : {
        proration_behavior: 'always_invoice',
        // Not paid, not changed: any other behavior gives the plan away, or refuses whoever’s bank asks back.
        payment_behavior: 'pending_if_incomplete',
        ...(confirmed && confirmed.prorationDate > 0 && { proration_date: confirmed.prorationDate }),
      }
  const { pending_update: waiting, latest_invoice: invoice } = await stripe.subscriptions.update(
    live.id,
    { items, ...payment, expand: ['latest_invoice'] },
    key('update'),
  )
  if (!waiting) return { status: 'changed' }
  return {
    status: 'payment-needed',
    payUrl: (typeof invoice === 'string' ? null : invoice?.hosted_invoice_url) ?? null,
    expiresAt: new Date(waiting.expires_at * 1000),
  }
}

/**
 * Holds a change against what was shown. The moment comes back through a browser: one that is not now would give the dearer
 * plan for the rest of a period for next to nothing.
 */
async function refuseOutdated(
  stripe: Stripe,
  change: ResolvedChange,
  { priceId, quantity, dueNow: shown, prorationDate }: Confirmation,
): Promise<void> {
  const { item } = change
  const now = await dueNow(stripe, change)
  const age = now.prorationDate - prorationDate
  const isSame =
    item.price.id === priceId &&
    (item.quantity ?? 1) === quantity &&
    age >= 0 &&
    age <= confirmationSeconds &&
    (age === 0 ? now : await dueNow(stripe, change, prorationDate)).amount === shown
  if (isSame) return
  throw new Failure({
    code: 'OUTGROW_BILLING_CHANGED',
    message: `The change of subscription ${change.live.id} is not the one that was shown.`,
    why: 'The plan, the seats or the amount have changed meanwhile, or it was shown too long ago.',
    fix: 'Show a new preview.',
  })
}

/**
 * Takes back a change that is scheduled, or that waits for its payment. Does nothing when there is none.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION, OUTGROW_BILLING_UNCHANGEABLE
 */
export async function takeBackChange(billing: Billing, accountId: string): Promise<void> {
  await change(billing, accountId, 'take-back', isRunning, async (context) => {
    const live = await liveSubscription(context.stripe, context.subscription.stripeSubscriptionId)
    refuseOthersSchedule(live)
    await dropPlannedChange(context, live)
  })
}
