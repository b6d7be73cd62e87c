import { stripeLink, type BillingDetails } from '@outgrow/billing'
import type { PropsWithChildren } from 'hono/jsx'
import { product, saysOf } from '../../product.ts'
import type { Services } from '../../services.ts'
import { day, money } from '../money.ts'
import { planOf, stateText, type ShownSubscription } from './shown-subscription.ts'

interface Props {
  subscription: ShownSubscription | null
  details: BillingDetails | undefined
  plans: Services['plans']['plans']
  apiBase: string | undefined
}

/** The plan, what comes next, and what is to be paid. */
export function PlanCard({ subscription, details, plans, apiBase }: Props) {
  const over = subscription === null || subscription.endedAt !== null
  const plan = planOf(subscription)
  const named = (id: string | undefined, seats: number) =>
    planText(plans.find((one) => one.id === id)?.name ?? 'another plan', seats)
  return (
    <section class="card">
      <h2>{over ? 'Free' : plan ? planText(plan.name, plan.seats) : 'Your plan'}</h2>
      <p>{subscription === null ? 'You have no plan yet.' : stateText(subscription)}</p>
      <OpenPayments details={details} apiBase={apiBase} />
      {details?.waiting && (
        <Planned>
          Your plan becomes {named(details.waiting.planId, details.waiting.seats)} when its payment is
          confirmed. It waits until {day(details.waiting.expiresAt)}.
        </Planned>
      )}
      {details?.scheduled && (
        <Planned canBeTakenBack={!details.scheduled.byOperator}>
          On {day(details.scheduled.at)} your plan becomes{' '}
          {named(details.scheduled.planId, details.scheduled.seats)}.
        </Planned>
      )}
      {details?.nextInvoice && (
        <p>
          Your next invoice:{' '}
          <strong>{money(details.nextInvoice.amount, details.nextInvoice.currency)}</strong> on{' '}
          {day(details.nextInvoice.at)}.
        </p>
      )}
      {details?.discounts.map(({ name, endsAt }) => (
        <p>
          Discount: {name}
          {endsAt === undefined ? '.' : ` until ${day(endsAt)}.`}
        </p>
      ))}
      <ul class="ticks">
        {(plan ? saysOf(plan.id) : product.free).map((line) => (
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
  )
}

/** What is owed, with the page where a declined card is replaced and a bank asks back. */
function OpenPayments({ details, apiBase }: Pick<Props, 'details' | 'apiBase'>) {
  const open = details?.invoices.filter(({ status, remaining }) => status === 'open' && remaining > 0) ?? []
  return (
    <>
      {open.map(({ hostedUrl, remaining, currency, number }) => {
        const link = stripeLink(hostedUrl, apiBase)
        return (
          <p class="notice warn">
            A payment of {money(remaining, currency)} is waiting for you.{' '}
            {link !== undefined && (
              <a href={link} rel="noreferrer">
                Pay or confirm invoice {number ?? ''}
              </a>
            )}
          </p>
        )
      })}
    </>
  )
}

function Planned({ canBeTakenBack = true, children }: PropsWithChildren<{ canBeTakenBack?: boolean }>) {
  return (
    <div class="notice inline">
      <p>{children}</p>
      {canBeTakenBack && (
        <form method="post" action="/billing/take-back">
          <button class="small plain">Keep the plan as it is</button>
        </form>
      )}
    </div>
  )
}

/** Everything in the plan, so many times. */
export function planText(name: string, seats: number): string {
  return seats === 1 ? name : `${name} × ${seats}`
}
