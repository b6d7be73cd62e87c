import { completeCheckout, createCheckout, createPortal } from '@outgrow/billing'
import { SubscriptionStatus, type Prisma } from '@outgrow/db'
import { assertNever } from '@outgrow/kit'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { formOf } from '../form-of.ts'
import { trialDays } from '../plans.ts'
import { product } from '../product.ts'
import { requireVisitor } from '../require-visitor.ts'
import type { Services, WebEnvironment } from '../services.ts'
import { Layout } from '../views/layout.tsx'
import type { Visitor } from '../services.ts'

/** Plans, Checkout, the way back from it, and the portal. */
export function billingPages(app: Hono<WebEnvironment>, services: Services): void {
  const { plans, appUrl } = services
  const { client } = services.database

  app.get('/pricing', (context) =>
    context.html(<Pricing visitor={context.get('visitor')} plans={plans.plans} />),
  )

  app.post('/billing/checkout', async (context) => {
    const visitor = requireVisitor(context)
    const { plan } = await formOf(context)
    const wanted = plans.plans.find(({ id }) => id === plan)
    if (!wanted) throw new HTTPException(400, { message: 'There is no such plan.' })
    // One trial an account: whoever had a subscription before pays from the start.
    const had = await client.subscription.count({ where: { customer: { accountId: visitor.accountId } } })
    const { url } = await createCheckout(services, {
      accountId: visitor.accountId,
      planId: wanted.id,
      email: visitor.email,
      ...(had === 0 && wanted.id === 'pro' ? { trialDays } : {}),
      successUrl: `${appUrl}/billing/success?session={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${appUrl}/pricing`,
    })
    return context.redirect(url, 303)
  })

  // Comes back before or after the webhook: both do the same work, so the feature is open when the page is.
  app.get('/billing/success', async (context) => {
    const visitor = requireVisitor(context)
    const session = context.req.query('session') ?? ''
    if (!/^cs_\w+$/.test(session))
      throw new HTTPException(400, { message: 'This payment does not belong to your account.' })
    const { paid } = await completeCheckout(services, visitor.accountId, session)
    return context.redirect(`/billing?done=${paid ? 'paid' : 'waiting'}`, 303)
  })

  app.post('/billing/portal', async (context) => {
    const visitor = requireVisitor(context)
    const { url } = await createPortal(services, visitor.accountId, `${appUrl}/billing`)
    return context.redirect(url, 303)
  })

  app.get('/billing', async (context) => {
    const visitor = requireVisitor(context)
    const subscription = await client.subscription.findFirst({
      where: { customer: { accountId: visitor.accountId } },
      orderBy: { startedAt: 'desc' },
      include: { items: { include: { plan: true } } },
    })
    const done = context.req.query('done') ?? ''
    const notice = Object.hasOwn(notices, done) ? notices[done] : undefined
    return context.html(<Billing visitor={visitor} subscription={subscription} notice={notice} />)
  })
}

const notices: Record<string, string> = {
  paid: 'Thank you. Your plan is active.',
  waiting: 'The bank has not confirmed the payment yet.',
}

interface BillingProps {
  visitor: Visitor
  subscription: Prisma.SubscriptionGetPayload<{ include: { items: { include: { plan: true } } } }> | null
  notice: string | undefined
}

function Billing({ visitor, subscription, notice }: BillingProps) {
  const over = subscription === null || subscription.endedAt !== null
  return (
    <Layout visitor={visitor} title="Billing" notice={notice}>
      <h1>Billing</h1>
      <section class="card">
        <h2>{over ? 'Free' : (subscription.items.find(({ plan }) => plan)?.plan?.name ?? 'Your plan')}</h2>
        <p>{subscription === null ? 'You have no plan yet.' : stateText(subscription)}</p>
        <ul class="ticks">
          {linesOf(subscription).map((line) => (
            <li>{line}</li>
          ))}
        </ul>
        <div class="actions">
          {over && (
            <a class="button" href="/pricing">
              See the plans
            </a>
          )}
          {subscription !== null && (
            <form method="post" action="/billing/portal">
              <button class="plain">Manage card and plan</button>
            </form>
          )}
        </div>
      </section>
    </Layout>
  )
}

function saysOf(id: string): string[] {
  return id === 'pro' || id === 'team' ? product.plans[id].says : []
}

function linesOf(subscription: BillingProps['subscription']): string[] {
  const plan = subscription?.endedAt === null ? subscription.items.find(({ plan }) => plan)?.plan : undefined
  return plan ? saysOf(plan.id) : product.free
}

function stateText(subscription: NonNullable<BillingProps['subscription']>): string {
  const day = (date: Date | null | undefined) => date?.toISOString().slice(0, 10) ?? 'soon'
  const end = subscription.items
    .map(({ currentPeriodEnd }) => currentPeriodEnd)
    .toSorted((a, b) => +a - +b)[0]
  if (subscription.endedAt !== null) return `It ended on ${day(subscription.endedAt)}.`
  if (subscription.cancelAtPeriodEnd || subscription.cancelAt !== null)
    return `Canceled. It ends on ${day(subscription.cancelAt ?? end)}; until then everything stays the same.`
  switch (subscription.status) {
    case SubscriptionStatus.TRIALING:
      return `On trial until ${day(subscription.trialEnd)}.`
    case SubscriptionStatus.ACTIVE:
      return `Active. It renews on ${day(end)}.`
    case SubscriptionStatus.PAST_DUE:
    case SubscriptionStatus.UNPAID:
      return 'The last payment did not go through.'
    case SubscriptionStatus.PAUSED:
      return 'Paused.'
    case SubscriptionStatus.INCOMPLETE:
      return 'The first payment is not complete.'
    case SubscriptionStatus.CANCELED:
    case SubscriptionStatus.INCOMPLETE_EXPIRED:
    case SubscriptionStatus.UNKNOWN:
      return `Status at Stripe: ${subscription.stripeStatus}.`
    default:
      return assertNever(subscription.status)
  }
}

function Pricing({ visitor, plans }: { visitor: Visitor | undefined; plans: Services['plans']['plans'] }) {
  return (
    <Layout visitor={visitor} title="Pricing">
      <section class="hero">
        <h1>Pricing</h1>
        <p>{product.offer}</p>
      </section>
      <ul class="plans">
        <li class="card">
          <h2>Free</h2>
          <p class="price">$0</p>
          <ul class="ticks">
            {product.free.map((line) => (
              <li>{line}</li>
            ))}
          </ul>
          <a class="button plain" href="/">
            Start
          </a>
        </li>
        {plans.map((plan) => (
          <li class="card">
            <h2>{plan.name}</h2>
            <p class="price">
              ${plan.amount / 100} <small>per month</small>
            </p>
            <ul class="ticks">
              {saysOf(plan.id).map((line) => (
                <li>{line}</li>
              ))}
              {plan.id === 'pro' && <li>{trialDays}-day free trial</li>}
            </ul>
            <form method="post" action="/billing/checkout">
              <button name="plan" value={plan.id}>
                {plan.id === 'pro' ? 'Try Pro' : `Choose ${plan.name}`}
              </button>
            </form>
          </li>
        ))}
      </ul>
    </Layout>
  )
}
