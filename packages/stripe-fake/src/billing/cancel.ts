import type { Emitter } from '../emitter.ts'
import type { Store, SubscriptionState } from '../store.ts'
import { collect } from './collect.ts'
import { netShare } from './discounts.ts'
import { addPending, openInvoice, pendingItems } from './invoices.ts'
import { prorationLine } from './lines.ts'
import { cancelNow } from './renewal.ts'
import { refuseEnded } from './statuses.ts'

export interface CancelRequest {
  /** Credits the time that is left. */
  prorates: boolean
  /** Bills what waits for the next invoice, which will not come. */
  invoicesNow: boolean
  comment: string | null
  feedback: string | null
}

/** The end that a request asks for. */
export function cancel(store: Store, emit: Emitter, state: SubscriptionState, request: CancelRequest): void {
  refuseEnded(state)
  const { object } = state
  const { comment, feedback, prorates, invoicesNow } = request
  if (prorates && object.status === 'active') {
    const share = netShare(store, object)
    const credits = object.items.data.map((item) =>
      prorationLine(store, item, { at: store.now, sign: -1, share }),
    )
    addPending(store, object.customer as string, credits)
  }
  if (invoicesNow && pendingItems(store, object).length > 0)
    collect(store, emit, openInvoice(store, emit, state, [], 'subscription_update'))
  object.cancellation_details = { comment, feedback, feedback_option: null, reason: null }
  cancelNow(store, emit, state)
}
