import { changePlan, previewChange, type ChangePreview, type Confirmation } from '@outgrow/billing'
import { assertNever } from '@outgrow/kit'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { z } from 'zod'
import { formOf } from '../form-of.ts'
import { requirePayer } from '../require-visitor.ts'
import { refuseTooFewSeats } from '../seats.ts'
import type { Services, Visitor, WebEnvironment } from '../services.ts'
import { planText } from '../views/billing/plan-card.tsx'
import { Layout } from '../views/layout.tsx'
import { day, money } from '../views/money.ts'

const wantedShape = z.object({ plan: z.string().max(60), seats: z.coerce.number().int().min(1).max(1000) })
const whole = z.coerce.number().int()
const confirmationShape = z.object({
  priceId: z.string().max(255),
  quantity: whole,
  toPriceId: z.string().max(255),
  dueNow: whole,
  prorationDate: whole,
})

/** Another plan or quantity: first what it costs, then the change. */
export function changePlanPages(app: Hono<WebEnvironment>, services: Services): void {
  const { plans } = services

  app.get('/billing/change', async (context) => {
    const visitor = requirePayer(context)
    const { plan, seats } = wantedOf(context.req.query())
    await refuseTooFewSeats(services, visitor.accountId, plan, seats)
    const preview = await previewChange(services, visitor.accountId, { planId: plan.id, seats })
    return context.html(<Preview visitor={visitor} plan={plan} seats={seats} preview={preview} />)
  })

  app.post('/billing/change', async (context) => {
    const { accountId } = requirePayer(context)
    const form = await formOf(context)
    const { plan, seats } = wantedOf(form)
    const confirmed: Confirmation | undefined = confirmationShape.safeParse(form).data
    if (!confirmed) throw new HTTPException(400, { message: 'Look at what it costs first.' })
    await refuseTooFewSeats(services, accountId, plan, seats)
    const { status } = await changePlan(services, accountId, { planId: plan.id, seats }, confirmed)
    return context.redirect(`/billing?done=${status === 'payment-needed' ? 'payment' : status}`, 303)
  })

  function wantedOf(fields: object): { plan: (typeof plans.plans)[number]; seats: number } {
    const wanted = wantedShape.safeParse(fields).data
    const plan = plans.plans.find(({ id }) => id === wanted?.plan)
    if (!wanted || !plan) throw new HTTPException(400, { message: 'There is no such plan.' })
    return { plan, seats: wanted.seats }
  }
}

interface PreviewProps {
  visitor: Visitor
  plan: Services['plans']['plans'][number]
  seats: number
  preview: ChangePreview
}

function Preview({ visitor, plan, seats, preview }: PreviewProps) {
  const { confirmation, perPeriod, currency, replacesPlanned } = preview
  return (
    <Layout visitor={visitor} title="Change your plan">
      <div class="narrow">
        <h1>Change to {planText(plan.name, seats)}</h1>
        <p>{whenText(preview)}</p>
        {perPeriod !== undefined && (
          <p>From then on: {money(perPeriod, currency)} per period, before discounts and taxes.</p>
        )}
        {replacesPlanned && (
          <p class="notice warn">This takes the place of the change that is planned at the moment.</p>
        )}
        <form method="post" action="/billing/change" class="actions">
          <input type="hidden" name="plan" value={plan.id} />
          <input type="hidden" name="seats" value={seats} />
          {Object.entries(confirmation).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <button>{preview.dueNow > 0 ? `Pay ${money(preview.dueNow, currency)}` : 'Confirm'}</button>
          <a class="button plain" href="/billing">
            Go back
          </a>
        </form>
      </div>
    </Layout>
  )
}

function whenText({ when, at, dueNow, currency }: ChangePreview): string {
  switch (when) {
    case 'none':
      return 'This is your plan already.'
    case 'now':
      return dueNow > 0
        ? `It changes now, and ${money(dueNow, currency)} is charged now.`
        : 'It changes now, and nothing is charged now.'
    case 'period-end':
      return `It changes on ${day(at)}, when what you have paid for ends. Nothing is charged now.`
    default:
      return assertNever(when)
  }
}
