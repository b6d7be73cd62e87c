import type { Stripe } from 'stripe'
import { day, hour, type Seconds } from '../clock.ts'
import type { Emitter } from '../emitter.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { expirePendingUpdate } from './change-items.ts'
import { endDiscount } from './discounts.ts'
import { voidOpenInvoices } from './invoices.ts'
import { expireResumption, resumeCollection } from './pause.ts'
import { firstPeriodEnd } from './periods.ts'
import { cancelNow, renew, retry } from './renewal.ts'
import { leavePhase } from './schedules.ts'
import { hasEnded, setStatus } from './statuses.ts'
import { endTrial } from './trial.ts'

/** Something that time does to a subscription. */
interface Due {
  at: Seconds
  happen(this: void): void
}

interface Dunning {
  afterRetries: 'canceled' | 'unpaid'
}

/** What happens next to a subscription, and when; undefined when nothing will. What is named first happens first. */
export function nextDue(
  store: Store,
  emit: Emitter,
  state: SubscriptionState,
  { afterRetries }: Dunning,
): Due | undefined {
  const { object, retryAt, trialWillEndSent, pending, resumes } = state
  if (hasEnded(state)) return undefined
  const due: Due[] = []
  const add = (at: Seconds | null | undefined, happen: () => void) => {
    if (at !== null && at !== undefined) due.push({ at, happen })
  }
  add(object.cancel_at, () => cancelNow(store, emit, state))
  if (object.status === 'incomplete') {
    add(object.created + 23 * hour, () => {
      voidOpenInvoices(store, emit, object.id)
      setStatus(store, emit, state, 'incomplete_expired')
    })
  }
  const schedule = store.scheduleOf(object)
  if (schedule?.status === 'active') {
    add(schedule.current_phase?.end_date, () => leavePhase(store, emit, state, schedule))
  }
  for (const id of object.discounts as string[]) {
    add(store.discounts.get(id)?.end, () => endDiscount(store, emit, object, id))
  }
  if (object.status === 'trialing' && object.trial_end !== null) {
    if (!trialWillEndSent) {
      add(Math.max(object.created, object.trial_end - 3 * day), () => {
        state.trialWillEndSent = true
        emit('customer.subscription.trial_will_end', object)
      })
    }
    add(object.trial_end, () => endTrial(store, emit, state))
  }
  if (pending) add(object.pending_update?.expires_at, () => expirePendingUpdate(store, emit, state))
  if (resumes) add(resumes.until, () => expireResumption(store, emit, state))
  add(object.pause_collection?.resumes_at, () => resumeCollection(emit, state))
  add(retryAt, () => retry(store, emit, state, afterRetries))
  if (object.status === 'active' || object.status === 'past_due')
    add(firstPeriodEnd(object), () => renew(store, emit, state))
  return due.toSorted((a, b) => a.at - b.at)[0]
}

/** When the next period is billed; undefined when none will be. */
export function nextRenewal({ object }: { object: Stripe.Subscription }): Seconds | undefined {
  if (object.status === 'trialing') return object.trial_end ?? undefined
  return object.status === 'active' || object.status === 'past_due' ? firstPeriodEnd(object) : undefined
}
