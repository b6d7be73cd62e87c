import type { Emitter } from '../emitter.ts'
import type { Seconds } from '../clock.ts'
import type { Store, SubscriptionState } from '../store.ts'
import type { ItemsRequest } from './change-items.ts'
import { netShare } from './discounts.ts'
import { addPending } from './invoices.ts'
import { prorationLine } from './lines.ts'
import { pauseNow } from './pause.ts'
import { cancelNow, invoicePeriod, startPeriods } from './renewal.ts'
import { setStatus } from './statuses.ts'

/** The end of a trial: the first period is billed, unless there is nothing to pay it with and the settings say so. */
export function endTrial(store: Store, emit: Emitter, state: SubscriptionState): void {
  const { object } = state
  object.trial_end = store.now
  const behavior = object.trial_settings?.end_behavior.missing_payment_method
  if (store.cards.get(object.customer as string) === 'none') {
    if (behavior === 'cancel') return cancelNow(store, emit, state)
    if (behavior === 'pause') return pauseNow(store, emit, state, 'trial_end_without_payment_method')
  }
  object.billing_cycle_anchor = store.now
  startPeriods(store, state)
  invoicePeriod(store, emit, state)
  if (object.status === 'trialing') setStatus(store, emit, state, 'active')
}

/** A trial until a time, for one that has it longer and for one that pays already. */
export function extendTrial(
  store: Store,
  state: SubscriptionState,
  end: Seconds,
  { prorationBehavior = 'create_prorations', prorationDate = store.now }: Omit<ItemsRequest, 'changes'>,
): void {
  const { object } = state
  if (object.status === 'active' && prorationBehavior !== 'none') {
    const share = netShare(store, object)
    const credits = object.items.data.map((item) =>
      prorationLine(store, item, { at: prorationDate, sign: -1, share }),
    )
    addPending(store, object.customer as string, credits)
  }
  if (object.status !== 'trialing') object.trial_start = store.now
  object.trial_end = end
  object.billing_cycle_anchor = end
  state.trialWillEndSent = false
  for (const item of object.items.data) {
    if (object.status !== 'trialing') item.current_period_start = store.now
    item.current_period_end = end
  }
  object.status = 'trialing'
}
