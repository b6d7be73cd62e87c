import { completeCheckout, createCheckout } from '@outgrow/billing'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { formOf } from '../form-of.ts'
import { trialDays } from '../plans.ts'
import { product, saysOf } from '../product.ts'
import { requirePayer } from '../require-visitor.ts'
import type { Services, Visitor, WebEnvironment } from '../services.ts'
import { Layout } from '../views/layout.tsx'
import { money } from '../views/money.ts'

/** The plans, Checkout, and the way back from it. */
export function pricingPages(app: Hono<WebEnvironment>, services: Services): void {
  const { plans, appUrl } = services

  app.get('/pricing', (context) =>
    context.html(<Pricing visitor={context.get('visitor')} plans={plans.plans} />),
  )

  app.post('/billing/checkout', async (context) => {
    const visitor = requirePayer(context)
    const { plan } = await formOf(context)
    const wanted = plans.plans.find(({ id }) => id === plan)
    if (!wanted) throw new HTTPException(400, { message: 'There is no such plan.' })
    const { url } = await createCheckout(services, {
      accountId: visitor.accountId,
      planId: wanted.id,
      email: visitor.email,
      // One trial an account: whoever had a subscription before pays from the start.
      trial: wanted.id === 'pro' ? { days: trialDays } : undefined,
      options: { allow_promotion_codes: true },
      successUrl: `${appUrl}/billing/success?session={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${appUrl}/pricing`,
    })
    return context.redirect(url, 303)
  })

  // Comes back before or after the webhook: both do the same work, so the feature is open when the page is.
  app.get('/billing/success', async (context) => {
    const visitor = requirePayer(context)
    const session = context.req.query('session') ?? ''
    if (!/^cs_\w+$/.test(session))
      throw new HTTPException(400, { message: 'This payment does not belong to your account.' })
    const { paid } = await completeCheckout(services, visitor.accountId, session)
    return context.redirect(`/billing?done=${paid ? 'paid' : 'waiting'}`, 303)
  })
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
              {money(plan.amount, plan.currency)} <small>per month</small>
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
