import {
  billingDetails,
  cancel,
  createPortal,
  isRunning,
  pause,
  receiptUrl,
  redeemPromotionCode,
  resume,
  stripeLink,
  takeBackChange,
  type BillingDetails,
  type ResumeResult,
} from '@outgrow/billing'
import { messageOf } from '@outgrow/kit'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { formOf } from '../form-of.ts'
import { requirePayer } from '../require-visitor.ts'
import type { Services, Visitor, WebEnvironment } from '../services.ts'
import { Invoices } from '../views/billing/invoices.tsx'
import { PlanCard } from '../views/billing/plan-card.tsx'
import { Settings } from '../views/billing/settings.tsx'
import { subscriptionOf, type ShownSubscription } from '../views/billing/shown-subscription.ts'
import { Layout } from '../views/layout.tsx'

/** What an account has, what it pays, and what it can do about it. */
export function billingPages(app: Hono<WebEnvironment>, services: Services): void {
  const { appUrl, database, log, plans, stripeApiBase } = services

  app.get('/billing', async (context) => {
    const visitor = requirePayer(context)
    const subscription = await subscriptionOf(database, visitor.accountId)
    const done = context.req.query('done') ?? ''
    return context.html(
      <Billing
        visitor={visitor}
        subscription={subscription}
        details={subscription && (await detailsOf(visitor))}
        plans={plans.plans}
        apiBase={stripeApiBase}
        notice={Object.hasOwn(notices, done) ? notices[done] : undefined}
      />,
    )
  })

  // What is stored is shown in any case; what only Stripe knows, when it answers.
  async function detailsOf({ accountId }: Visitor): Promise<BillingDetails | undefined> {
    try {
      return await billingDetails(services, accountId)
    } catch (error) {
      log.warn({ accountId, error: messageOf(error) }, 'the details of billing cannot be shown')
      return undefined
    }
  }

  const actions = {
    cancel: (accountId: string) => cancel(services, accountId),
    pause: (accountId: string) => pause(services, accountId),
    'take-back': (accountId: string) => takeBackChange(services, accountId),
  }
  for (const [name, act] of Object.entries(actions))
    app.post(`/billing/${name}`, async (context) => {
      await act(requirePayer(context).accountId)
      return context.redirect(`/billing?done=${name}`, 303)
    })

  app.post('/billing/resume', async (context) => {
    const { status } = await resume(services, requirePayer(context).accountId)
    return context.redirect(`/billing?done=${resumeNotices[status]}`, 303)
  })

  app.post('/billing/code', async (context) => {
    const { accountId } = requirePayer(context)
    const { code } = await formOf(context)
    if (typeof code !== 'string' || !/^[\w-]{1,100}$/.test(code.trim()))
      throw new HTTPException(400, { message: 'That is not a promotion code.' })
    await redeemPromotionCode(services, accountId, code.trim())
    return context.redirect('/billing?done=code', 303)
  })

  app.post('/billing/portal', async (context) => {
    const visitor = requirePayer(context)
    const { url } = await createPortal(services, visitor.accountId, `${appUrl}/billing`)
    return context.redirect(url, 303)
  })

  // A list of invoices does not have their receipts: one is looked up when it is asked for.
  app.get('/billing/receipt/:invoice', async (context) => {
    const { accountId } = requirePayer(context)
    const invoice = context.req.param('invoice')
    const url = /^in_\w+$/.test(invoice) ? await receiptUrl(services, accountId, invoice) : undefined
    const link = stripeLink(url, stripeApiBase)
    if (link === undefined) throw new HTTPException(404, { message: 'There is no receipt for that.' })
    return context.redirect(link, 303)
  })
}

const resumeNotices: Record<ResumeResult['status'], keyof typeof notices> = {
  resumed: 'resume',
  'payment-needed': 'resume-payment',
  'card-needed': 'resume-card',
}

const notices: Record<string, string> = {
  paid: 'Thank you. Your plan is active.',
  waiting: 'The bank has not confirmed the payment yet.',
  changed: 'Your plan has changed.',
  scheduled: 'Your plan will change when the paid period ends.',
  payment: 'Your plan changes when the payment is confirmed.',
  unchanged: 'Your plan stays as it is.',
  cancel: 'Your plan is canceled. Until it ends everything stays the same.',
  resume: 'Your plan goes on.',
  'resume-card': 'Your plan stays paused: add a card first, under “Manage card and plan”. Then resume it.',
  'resume-payment': 'Your plan goes on when the payment is confirmed.',
  pause: 'Your plan is paused.',
  'take-back': 'Your plan stays as it is.',
  code: 'The discount counts from your next invoice on.',
}

interface BillingProps {
  visitor: Visitor
  subscription: ShownSubscription | null
  /** Undefined when Stripe does not answer. */
  details: BillingDetails | undefined | null
  plans: Services['plans']['plans']
  apiBase: string | undefined
  notice: string | undefined
}

function Billing({ visitor, subscription, details, plans, apiBase, notice }: BillingProps) {
  return (
    <Layout visitor={visitor} title="Billing" notice={notice}>
      <h1>Billing</h1>
      {details === undefined && (
        <p class="notice warn" role="status">
          Invoices and scheduled changes cannot be shown at the moment. Your plan is not affected.
        </p>
      )}
      <PlanCard subscription={subscription} details={details ?? undefined} plans={plans} apiBase={apiBase} />
      {subscription !== null && isRunning(subscription.status) && (
        <Settings subscription={subscription} details={details ?? undefined} plans={plans} />
      )}
      {details && <Invoices invoices={details.invoices} apiBase={apiBase} />}
    </Layout>
  )
}
