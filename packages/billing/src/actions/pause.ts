import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { SubscriptionStatus, statusOf } from '../state/statuses.ts'
import { change } from './change.ts'
import { dropPlannedChange, refuseOthersSchedule, refusePlanned } from './planned-change.ts'

/**
 * Stops invoices and access until `resume`. What is paid and not used yet is credited to the next invoice; what is owed for
 * is not. Stripe pauses no trial.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION, OUTGROW_BILLING_PLANNED,
 * OUTGROW_BILLING_UNCHANGEABLE
 */
export async function pause(billing: Billing, accountId: string): Promise<void> {
  await change(billing, accountId, 'pause', canPause, async (context) => {
    const { stripe, live, key } = context
    refusePlanned(live)
    refuseOthersSchedule(live)
    if (live.billing_mode?.type === 'classic') {
      throw new Failure({
        code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
        message: `Subscription ${live.id} is in Stripe’s classic billing mode, which cannot be paused.`,
        fix: 'Migrate it once: stripe.subscriptions.migrate(id, { billing_mode: { type: "flexible" } }).',
      })
    }
    // Stripe pauses nothing that has a schedule, and one whose last phase has begun is still there.
    await dropPlannedChange(context, live)
    // Stripe would credit a period that nobody has paid.
    const isOwed = statusOf(live.status) === SubscriptionStatus.PAST_DUE
    await stripe.subscriptions.pause(
      live.id,
      { type: 'subscription', ...(isOwed && { bill_for: { unused_time_from: { type: 'none' } } }) },
      key('pause'),
    )
  })
}

function canPause(status: SubscriptionStatus): boolean {
  return status === SubscriptionStatus.ACTIVE || status === SubscriptionStatus.PAST_DUE
}
