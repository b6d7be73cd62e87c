import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { isRunning } from '../state/statuses.ts'
import { change, type ChangeContext } from './change.ts'
import { dropPlannedChange, nextPhaseOf, planChange, refuseOthersSchedule } from './planned-change.ts'
import {
  canChange,
  dueNow,
  lineOfChange,
  resolveChange,
  unchangeable,
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
    const resolved = await resolveChange(billing, context.live, wanted)
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
    if (when === 'none') return { status: 'unchanged' }
    try {
      return await makeNow(context, resolved, confirmed)
    } catch (error) {
      // Only of a refusal it is known that nothing has been made.
      if (error instanceof Failure) await planAgain(context, resolved)
      throw error
    }
  })
}

/** What was scheduled stays so when Stripe refuses what was to take its place. */
async function planAgain(context: ChangeContext, { live, item }: ResolvedChange): Promise<void> {
  const line = nextPhaseOf(live.schedule)?.items[live.items.indexOf(item)]
  if (!line) return
  const { price, quantity = 1 } = line
  const { id: priceId, recurring } = await context.stripe.prices.retrieve(
    typeof price === 'string' ? price : price.id,
  )
  await planChange(context, { ...live, schedule: null }, item, { priceId, quantity, recurring })
}

async function makeNow(
  { stripe, key }: ChangeContext,
  change: ResolvedChange,
  confirmed: Confirmation | undefined,
): Promise<ChangeResult> {
  const { live, isTrial } = change
  const payment: Stripe.SubscriptionUpdateParams = isTrial
    ? { proration_behavior: 'none' }
    : {
        proration_behavior: 'always_invoice',
        // Not paid, not changed: any other behavior gives the plan away, or refuses whoever’s bank asks back.
        payment_behavior: 'pending_if_incomplete',
        ...(confirmed && confirmed.prorationDate > 0 && { proration_date: confirmed.prorationDate }),
      }
  const params = { items: [lineOfChange(change)], ...payment, expand: ['latest_invoice'] }
  const { pending_update: waiting, latest_invoice: invoice } = await stripe.subscriptions
    .update(live.id, params, key('update'))
    .catch(refused)
  if (!waiting) return { status: 'changed' }
  return {
    status: 'payment-needed',
    payUrl: (typeof invoice === 'string' ? null : invoice?.hosted_invoice_url) ?? null,
    expiresAt: new Date(waiting.expires_at * 1000),
  }
}

/** For example what is paid by bank debit: Stripe lets no change of it wait for its payment. */
function refused(error: unknown): never {
  if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
  throw unchangeable('Stripe refuses the change.', 'Change it in Stripe’s dashboard.', error)
}

/**
 * Holds a change against what was shown. The moment comes back through a browser: one that is not now would give the dearer
 * plan for the rest of a period for next to nothing.
 */
async function refuseOutdated(
  stripe: Stripe,
  change: ResolvedChange,
  { priceId, quantity, toPriceId, dueNow: shown, prorationDate }: Confirmation,
): Promise<void> {
  const { item, price } = change
  const now = await dueNow(stripe, change)
  const age = now.prorationDate - prorationDate
  const isSame =
    item.price.id === priceId &&
    (item.quantity ?? 1) === quantity &&
    price.id === toPriceId &&
    age >= 0 &&
    age <= confirmationSeconds &&
    (age === 0 ? now.amount : await amountAt(stripe, change, prorationDate)) === shown
  if (isSame) return
  throw new Failure({
    code: 'OUTGROW_BILLING_CHANGED',
    message: `The change of subscription ${change.live.id} is not the one that was shown.`,
    why: 'The plan, the seats or the amount have changed meanwhile, or it was shown too long ago.',
    fix: 'Show a new preview.',
  })
}

/** Undefined for a moment of a period that is over. */
async function amountAt(
  stripe: Stripe,
  change: ResolvedChange,
  prorationDate: number,
): Promise<number | undefined> {
  try {
    return (await dueNow(stripe, change, prorationDate)).amount
  } catch (error) {
    if ((error as { type?: string }).type !== 'StripeInvalidRequestError') throw error
    return undefined
  }
}

/**
 * Takes back a change that is scheduled, or that waits for its payment. Does nothing when there is none.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION, OUTGROW_BILLING_UNCHANGEABLE
 */
export async function takeBackChange(billing: Billing, accountId: string): Promise<void> {
  await change(billing, accountId, 'take-back', isRunning, async (context) => {
    refuseOthersSchedule(context.live)
    await dropPlannedChange(context, context.live)
  })
}
