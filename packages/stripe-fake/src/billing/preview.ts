import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import type { Seconds } from '../clock.ts'
import type { Line } from '../objects/invoice.ts'
import { itemObject } from '../objects/subscription.ts'
import type { Store } from '../store.ts'
import { billOf, type ItemsRequest } from './change-items.ts'
import { netShare, redeemable, type DiscountRequest } from './discounts.ts'
import { draftInvoice } from './invoices.ts'
import { periodLine, prorationLine } from './lines.ts'
import { addPeriods, firstPeriodEnd } from './periods.ts'
import type { ItemChange } from './plan-items.ts'

export interface PreviewRequest extends Omit<ItemsRequest, 'changes'> {
  customer: string | undefined
  subscription: string | undefined
  items: ItemChange[]
  discounts: DiscountRequest[]
  /** Only what comes back every period, without prorations. */
  isRecurring: boolean
  ends: 'now' | 'period-end' | Seconds | undefined
  trialEnd: 'now' | Seconds | undefined
}

/** The invoice that a change would lead to, of which nothing is kept: its ids mean nothing. */
export function previewInvoice(store: Store, request: PreviewRequest): Stripe.Invoice {
  const ids = new Map<string, number>()
  const newId = (prefix: string) => {
    const count = (ids.get(prefix) ?? 0) + 1
    ids.set(prefix, count)
    return `${prefix}_preview${count}`
  }
  const object =
    request.subscription === undefined ? undefined : store.subscription(request.subscription).object
  const customer = object ? (object.customer as string) : request.customer
  if (customer === undefined) {
    throw new ApiError(400, 'You must provide one of: customer or subscription.', { param: 'customer' })
  }
  const { lines, at } = object ? changed(store, object, request, newId) : begun(store, request, newId)
  if (lines.length === 0) throw noUpcoming(customer)
  const invoice = draftInvoice(
    store,
    {
      customer,
      subscription: object && { ...object, discounts: lastingDiscounts(object, request) },
      reason: 'upcoming',
      lines,
      tried: request.discounts.map((one) => redeemable(store, customer, one).coupon),
    },
    `upcoming_${newId('in')}`,
    newId,
  )
  const details = invoice.parent?.subscription_details
  // Only the preview of a change says which moment it is for.
  if (details && request.items.length > 0) {
    details.subscription_proration_date = request.prorationDate ?? store.now
  }
  return { ...invoice, period_end: at, next_payment_attempt: at, created: at }
}

/** Discounts that are tried take the place of those that are there. */
function lastingDiscounts({ discounts }: Stripe.Subscription, request: PreviewRequest) {
  return request.discounts.length > 0 ? [] : discounts
}

function changed(
  store: Store,
  object: Stripe.Subscription,
  request: PreviewRequest,
  newId: (prefix: string) => string,
): { lines: Line[]; at: Seconds } {
  const share = netShare(store, object)
  if (request.ends === 'now') {
    const prorates = (request.prorationBehavior ?? 'create_prorations') !== 'none'
    const at = request.prorationDate ?? store.now
    const lines = object.items.data.map((item) => prorationLine(store, item, { at, sign: -1, share }))
    return { lines: prorates ? lines : [], at: store.now }
  }
  const { planned, now, later } = billOf(store, object, { ...request, changes: request.items }, () =>
    newId('si'),
  )
  if (!request.isRecurring && now.length > 0) return { lines: now, at: store.now }
  const endsAt = request.ends === 'period-end' ? firstPeriodEnd(object) : (request.ends ?? object.cancel_at)
  const due = Math.min(...planned.items.map(({ current_period_end: at }) => at))
  const trialEnd = request.trialEnd === 'now' ? store.now : (request.trialEnd ?? due)
  const at = object.status === 'trialing' || request.trialEnd !== undefined ? trialEnd : due
  const willRenew =
    (endsAt === null || endsAt > at) && ['active', 'trialing', 'past_due'].includes(object.status)
  const next = planned.items
    .filter((item) => item.current_period_end <= due)
    .map((item) => periodLine(store, item, { start: at, end: addPeriods(at, item.price, 1) }))
  const prorations = request.isRecurring ? [] : later
  return { lines: willRenew ? [...prorations, ...next] : prorations, at }
}

/** A subscription that does not exist yet. */
function begun(
  store: Store,
  { items, trialEnd }: PreviewRequest,
  newId: (prefix: string) => string,
): { lines: Line[]; at: Seconds } {
  const at = typeof trialEnd === 'number' ? trialEnd : store.now
  const lines = items.map(({ price: id, quantity = 1 }) => {
    if (id === undefined) {
      throw new ApiError(400, 'Missing required param: subscription_details[items][0][price].', {
        code: 'parameter_missing',
      })
    }
    const price = store.price(id)
    const period = { start: at, end: addPeriods(at, price, 1) }
    const line = periodLine(store, itemObject(newId('si'), store.now, '', price, quantity, period))
    return { ...line, subscription: undefined }
  })
  return { lines, at }
}

function noUpcoming(customer: string): ApiError {
  return new ApiError(404, `No upcoming invoices for customer: ${customer}`, {
    code: 'invoice_upcoming_none',
    type: 'invalid_request_error',
  })
}
