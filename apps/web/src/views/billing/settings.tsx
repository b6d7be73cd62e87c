import type { BillingDetails } from '@outgrow/billing'
import { SubscriptionStatus } from '@outgrow/db'
import type { Services } from '../../services.ts'
import { control, Field } from '../form.tsx'
import { money } from '../money.ts'
import { isChangeable, isEnding, planOf, type ShownSubscription } from './shown-subscription.ts'

interface Props {
  subscription: ShownSubscription
  details: BillingDetails | undefined
  plans: Services['plans']['plans']
}

/** More, less, a code, a pause, the end. Each is a form of its own; none needs a script. */
export function Settings({ subscription, details, plans }: Props) {
  const plan = planOf(subscription)
  const isPlanned = details?.scheduled !== undefined || details?.waiting !== undefined
  const isPaused = subscription.status === SubscriptionStatus.PAUSED
  // Stripe pauses no trial.
  const canPause =
    isChangeable(subscription) && !isPlanned && subscription.status === SubscriptionStatus.ACTIVE
  return (
    <section class="card">
      <h2>Change it</h2>
      {isChangeable(subscription) && plan && (
        <form method="get" action="/billing/change" class="inline">
          <Field name="plan" label="Plan">
            <select {...control('plan')}>
              {plans.map(({ id, name, amount, currency }) => (
                <option value={id} selected={id === plan.id}>
                  {name}, {money(amount, currency)} per month
                </option>
              ))}
            </select>
          </Field>
          <Field name="seats" label="Quantity" hint="Everything in the plan, so many times.">
            <input
              {...control('seats', undefined, true)}
              type="number"
              min={1}
              max={1000}
              value={plan.seats}
              required
            />
          </Field>
          <button>See what it costs</button>
        </form>
      )}
      {isChangeable(subscription) && !isPlanned && (
        <form method="post" action="/billing/code" class="inline">
          <Field name="code" label="Promotion code">
            <input {...control('code')} maxlength={100} autocomplete="off" required />
          </Field>
          <button class="plain">Redeem</button>
        </form>
      )}
      {isPaused && <p class="hint">A new period begins when you resume, and is charged then.</p>}
      {canPause && (
        <p class="hint">
          A pause takes effect at once. What you have paid for and not used is credited when you resume.
        </p>
      )}
      <div class="actions">
        {(isPaused || isEnding(subscription)) && (
          <Action to="resume">{isPaused ? 'Resume the plan' : 'Keep the plan'}</Action>
        )}
        {canPause && <Action to="pause">Pause the plan</Action>}
        {!isEnding(subscription) && (
          <Action to="cancel">{isPaused ? 'Cancel the plan' : 'Cancel at the end of the period'}</Action>
        )}
      </div>
    </section>
  )
}

function Action({ to, children }: { to: string; children: string }) {
  return (
    <form method="post" action={`/billing/${to}`}>
      <button class={to === 'cancel' ? 'plain danger' : 'plain'}>{children}</button>
    </form>
  )
}
