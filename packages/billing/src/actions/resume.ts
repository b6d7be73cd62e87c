import type { Stripe } from 'stripe'
import type { Billing } from '../context.ts'
import { isRunning, SubscriptionStatus, statusOf } from '../state/statuses.ts'
import { change, type ChangeContext } from './change.ts'
import type { LiveSubscription } from './live-subscription.ts'
import { refuseOthersSchedule } from './planned-change.ts'

export type ResumeResult =
  /** It goes on. */
  | { status: 'resumed' }
  /** The first period after the pause is not paid: it stays paused until it is. */
  | { status: 'payment-needed'; payUrl: string | null }
  /** There is nothing to pay with, as after a trial without a card: it stays paused. */
  | { status: 'card-needed' }

/**
 * Takes a scheduled cancel back, or goes on after a pause. What was paused goes on when its first invoice is paid: until
 * then it stays paused. Asked again, the same invoice is tried again.
 * @throws Failure OUTGROW_BILLING_CHANGE_PENDING, OUTGROW_BILLING_NO_SUBSCRIPTION, OUTGROW_BILLING_UNCHANGEABLE
 */
export async function resume(billing: Billing, accountId: string): Promise<ResumeResult> {
  return change(billing, accountId, 'resume', isRunning, async (context) => {
    const { stripe, live, key } = context
    if (statusOf(live.status) === SubscriptionStatus.PAUSED) return resumePaused(context)
    if (live.cancel_at_period_end || live.cancel_at !== null) {
      // Stripe lets only the schedule itself change the end that it has set.
      refuseOthersSchedule(live)
      // A scheduled cancel is either of the two.
      const kept = live.cancel_at_period_end
        ? { cancel_at_period_end: false }
        : ({ cancel_at: '' } satisfies Stripe.SubscriptionUpdateParams)
      await stripe.subscriptions.update(live.id, kept, key('keep'))
    }
    return { status: 'resumed' }
  })
}

async function resumePaused({ stripe, live, key }: ChangeContext): Promise<ResumeResult> {
  const open = openResumption(live)
  // A second invoice for the same period could be paid beside the first.
  if (open) return payAgain(stripe, open, key('pay'))
  const resumed = await stripe.subscriptions
    .resume(
      live.id,
      {
        // In the classic mode Stripe has only its default: the customer pays the invoice.
        ...(live.billing_mode?.type !== 'classic' && { payment_behavior: 'resume_on_payment_success' }),
        expand: ['latest_invoice'],
      },
      key('resume'),
    )
    .catch((error: unknown) => refused(stripe, live, error))
  if (!resumed) return { status: 'card-needed' }
  const { status, latest_invoice: invoice } = resumed
  if (statusOf(status) !== SubscriptionStatus.PAUSED) return { status: 'resumed' }
  return { status: 'payment-needed', payUrl: pageOf(invoice) }
}

/** Undefined where Stripe refuses because there is nothing to pay with. */
async function refused(
  stripe: Stripe,
  { customer, default_payment_method: own }: LiveSubscription,
  error: unknown,
): Promise<undefined> {
  if ((error as { type?: string }).type !== 'StripeInvalidRequestError' || own !== null) throw error
  const payer = await stripe.customers.retrieve(typeof customer === 'string' ? customer : customer.id)
  if (payer.deleted || payer.invoice_settings.default_payment_method || payer.default_source) throw error
}

async function payAgain(
  stripe: Stripe,
  invoice: Stripe.Invoice,
  options: Stripe.RequestOptions,
): Promise<ResumeResult> {
  try {
    const { status } = await stripe.invoices.pay(invoice.id, {}, options)
    if (status === 'paid') return { status: 'resumed' }
  } catch (error) {
    const { type = '' } = error as { type?: string }
    // Declined, asked back, or without anything to pay with.
    if (!['StripeCardError', 'StripeInvalidRequestError'].includes(type)) throw error
  }
  return { status: 'payment-needed', payUrl: pageOf(invoice) }
}

/** Gives up the invoice that would end a pause: it could still be paid. */
export async function dropResumption({ stripe, live, key }: ChangeContext): Promise<void> {
  const open = openResumption(live)
  if (open) await stripe.invoices.voidInvoice(open.id, {}, key('void-resumption'))
}

/** The invoice that ends the pause when it is paid; one from before the pause is owed in any case. */
function openResumption({
  status,
  status_details: details,
  latest_invoice: invoice,
}: LiveSubscription): Stripe.Invoice | undefined {
  if (statusOf(status) !== SubscriptionStatus.PAUSED || invoice?.status !== 'open') return undefined
  const since = details?.paused.transitioned_at
  return since !== undefined && invoice.created >= since ? invoice : undefined
}

function pageOf(invoice: string | Stripe.Invoice | null): string | null {
  return (typeof invoice === 'string' ? null : invoice?.hosted_invoice_url) ?? null
}
