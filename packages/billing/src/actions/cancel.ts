import type { Billing } from '../context.ts'
import { isRunning, SubscriptionStatus, statusOf } from '../state/statuses.ts'
import { change } from './change.ts'
import { dropPlannedChange } from './planned-change.ts'
import { dropResumption } from './resume.ts'

/**
 * Cancels at the end of the paid period, or now. A planned change is given up: Stripe lets nothing that a schedule manages be
 * canceled. What is paused ends now: its period is not paid for, and does not end.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION
 */
export async function cancel(
  billing: Billing,
  accountId: string,
  when: 'period-end' | 'now' = 'period-end',
): Promise<void> {
  await change(billing, accountId, `cancel-${when}`, isRunning, async (context) => {
    const { stripe, live, key } = context
    if (!(await dropPlannedChange(context, live))) await dropResumption(context)
    if (when === 'now' || statusOf(live.status) === SubscriptionStatus.PAUSED)
      await stripe.subscriptions.cancel(live.id, {}, key('cancel'))
    else await stripe.subscriptions.update(live.id, { cancel_at_period_end: true }, key('cancel'))
  })
}
