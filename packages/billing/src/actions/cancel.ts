import type { Billing } from '../context.ts'
import { isRunning, SubscriptionStatus } from '../state/statuses.ts'
import { change } from './change.ts'
import { liveSubscription } from './live-subscription.ts'
import { dropPlannedChange } from './planned-change.ts'

/**
 * Cancels at the end of the paid period, or now. A planned change is given up: Stripe lets nothing that a schedule manages be
 * canceled.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION
 */
export async function cancel(
  billing: Billing,
  accountId: string,
  when: 'period-end' | 'now' = 'period-end',
): Promise<void> {
  await change(billing, accountId, `cancel-${when}`, isRunning, async (context) => {
    const { stripe, subscription, key } = context
    const { stripeSubscriptionId: id } = subscription
    await dropPlannedChange(context, await liveSubscription(stripe, id))
    if (when === 'now') await stripe.subscriptions.cancel(id, {}, key('cancel'))
    else await stripe.subscriptions.update(id, { cancel_at_period_end: true }, key('cancel'))
  })
}

/**
 * Takes a scheduled cancel back, or goes on after a pause. What was paused goes on when its first invoice is paid: until
 * then it stays paused.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION
 */
export async function resume(billing: Billing, accountId: string): Promise<void> {
  await change(billing, accountId, 'resume', isRunning, async ({ stripe, subscription, key }) => {
    const { stripeSubscriptionId: id, status, cancelAt, cancelAtPeriodEnd } = subscription
    if (status === SubscriptionStatus.PAUSED)
      await stripe.subscriptions.resume(id, { payment_behavior: 'resume_on_payment_success' }, key('resume'))
    // A scheduled cancel is either of the two.
    else if (cancelAtPeriodEnd)
      await stripe.subscriptions.update(id, { cancel_at_period_end: false }, key('keep'))
    else if (cancelAt !== null) await stripe.subscriptions.update(id, { cancel_at: '' }, key('keep'))
  })
}
