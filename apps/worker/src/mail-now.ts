import { stripeLink, type Billing } from '@outgrow/billing'
import { mails, type Mail } from './mails.ts'

export interface StripeAccess {
  stripe: Billing['stripe']
  /** `STRIPE_API_BASE`, where a stand-in takes Stripe's place. */
  apiBase: string | undefined
}

/**
 * The mail of a topic as it is right when it is sent: with the link to what is to be paid, which is stored nowhere since
 * whoever has it can read the invoice; undefined when it is no longer so, or there is no mail for the topic.
 */
export async function mailNow(
  { stripe, apiBase }: StripeAccess,
  topic: string,
  objectId: string,
): Promise<Mail | undefined> {
  const mail = mails[topic]
  switch (topic) {
    case 'invoice.payment_failed':
    case 'invoice.payment_action_required': {
      const invoice = await found(stripe.invoices.retrieve(objectId))
      if (invoice && invoice.status !== 'open') return undefined
      if (!mail) return undefined
      const link = stripeLink(invoice?.hosted_invoice_url, apiBase)
      const outlook = outlookOf(invoice?.billing_reason)
      const said = outlook === undefined ? mail.text : `${mail.subject}. ${outlook}`
      return { ...mail, text: link === undefined ? said : `${said}\n\nPay or confirm it here: ${link}` }
    }
    case 'customer.subscription.trial_will_end': {
      const subscription = await found(stripe.subscriptions.retrieve(objectId, { expand: ['customer'] }))
      if (!subscription?.trial_end) return mail
      // Ended or paused since.
      if (subscription.status !== 'trialing') return undefined
      const { customer, trial_settings: settings, default_payment_method: own } = subscription
      const payer = typeof customer === 'object' && !customer.deleted ? customer : undefined
      const card = own ?? payer?.invoice_settings?.default_payment_method ?? payer?.default_source
      const missing = settings?.end_behavior.missing_payment_method
      const { trial_end: end, cancel_at: cancelAt, cancel_at_period_end: cancelsAtEnd } = subscription
      const ends = `Your trial ends on ${new Date(end * 1000).toISOString().slice(0, 10)}.`
      if (cancelsAtEnd || (cancelAt !== null && cancelAt <= end))
        return { subject: 'Your trial ends soon', text: `${ends} You have canceled: nothing is charged.` }
      const next =
        card || (missing !== 'pause' && missing !== 'cancel')
          ? 'You do not need to do anything to continue.'
          : `Add a card on the billing page to continue: without one your plan is ${missing === 'pause' ? 'paused' : 'canceled'}.`
      return { subject: 'Your trial ends soon', text: `${ends} ${next}` }
    }
    case 'refund.made': {
      const refund = await found(stripe.refunds.retrieve(objectId))
      // The bank sent it back: that is for an operator, who hears of it as refund.failed.
      return refund?.status === 'failed' || refund?.status === 'canceled' ? undefined : mail
    }
    default:
      return mail
  }
}

/** What an open payment means for the plan; undefined for a renewal, which the mail's own text is about. */
function outlookOf(reason: string | null | undefined): string | undefined {
  if (reason === 'subscription_create') return 'Your plan begins when it is paid.'
  // A change that is not paid has not been made: nothing of the plan is at risk.
  return reason === 'subscription_update' ? 'Until it is paid your plan stays as it is.' : undefined
}

/** Undefined for what Stripe no longer has: the mail goes out without it. */
async function found<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked
  } catch (error) {
    if ((error as { code?: string }).code !== 'resource_missing') throw error
    return undefined
  }
}
