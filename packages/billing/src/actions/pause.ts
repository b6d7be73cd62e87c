import { Failure } from '@outgrow/kit'
import type { Billing } from '../context.ts'
import { SubscriptionStatus } from '../state/statuses.ts'
import { change } from './change.ts'
import { liveSubscription } from './live-subscription.ts'
import { dropPlannedChange, refusePlanned } from './planned-change.ts'

/**
 * Stops invoices and access until `resume`. What is paid and not used yet is credited to the next invoice.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION, OUTGROW_BILLING_PLANNED
 */
export async function pause(billing: Billing, accountId: string): Promise<void> {
  await change(billing, accountId, 'pause', canPause, async (context) => {
    const { stripe, subscription, key } = context
    const { stripeSubscriptionId: id } = subscription
    const live = await liveSubscription(stripe, id)
    refusePlanned(live)
    if (live.billing_mode?.type === 'classic') {
      throw new Failure({
        code: 'OUTGROW_BILLING_NO_SUBSCRIPTION',
        message: `Subscription ${id} is in Stripe’s classic billing mode, which cannot be paused.`,
        fix: 'Migrate it once: stripe.subscriptions.migrate(id, { billing_mode: { type: "flexible" } }).',
      })
    }
    // Stripe pauses nothing that has a schedule, and one whose last phase has begun is still there.
    await dropPlannedChange(context, live)
    await stripe.subscriptions.pause(id, { type: 'subscription' }, key('pause'))
  })
}

function canPause(status: SubscriptionStatus): boolean {
  return (
    status === SubscriptionStatus.ACTIVE ||
    status === SubscriptionStatus.PAST_DUE ||
    status === SubscriptionStatus.TRIALING
  )
}
