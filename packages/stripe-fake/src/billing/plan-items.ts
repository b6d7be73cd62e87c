import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import type { Seconds } from '../clock.ts'
import { itemObject } from '../objects/subscription.ts'
import type { Line } from '../objects/invoice.ts'
import type { Store } from '../store.ts'
import { netShare } from './discounts.ts'
import { periodLine, prorationLine } from './lines.ts'
import { addPeriods, hasSameInterval } from './periods.ts'

export interface ItemChange {
  /** Without an id an item is added, as at Stripe. */
  id?: string | undefined
  price?: string | undefined
  quantity?: number | undefined
  deleted?: boolean | undefined
  metadata?: Record<string, string> | null | undefined
}

/** What a change of items comes to, before any of it has happened. */
export interface PlannedItems {
  items: Stripe.SubscriptionItem[]
  /** The billing cycle begins anew now: a whole period is billed at once. */
  startsCycle: boolean
  /** Credits for unused time and debits for what remains, to the second. */
  prorations: Line[]
  /** The whole periods that begin now. */
  periods: Line[]
}

interface PlanOptions {
  changes: ItemChange[]
  /** As of when the rest of the period counts. */
  at: Seconds
  /** `billing_cycle_anchor: now` */
  resetsAnchor?: boolean
  /** Ids of items that are added. */
  newId: () => string
}

export function planItems(store: Store, object: Stripe.Subscription, options: PlanOptions): PlannedItems {
  const { changes, at, resetsAnchor = false, newId } = options
  const before = object.items.data
  const after = changedItems(store, object, changes, newId)
  if (after.length === 0) {
    throw new ApiError(
      400,
      'A subscription must have at least one active plan. To cancel it, use the cancel endpoint.',
    )
  }
  const bills = object.status === 'active' || object.status === 'past_due'
  if (!bills) return { items: after, startsCycle: false, prorations: [], periods: [] }
  checkProrationDate(before, at)
  const changed = after.filter((item) => !before.some((old) => isSame(old, item)))
  const startsCycle =
    resetsAnchor ||
    changed.some(({ price }) => before.every((old) => !hasSameInterval(old.price, price))) ||
    (totalOf(before) === 0 && totalOf(after) > 0)
  const gone = startsCycle ? before : before.filter((old) => !after.some((item) => isSame(old, item)))
  const share = netShare(store, object)
  const credits = gone.map((item) => prorationLine(store, item, { at, sign: -1, share }))
  if (startsCycle) {
    const items = after.map((item) => ({
      ...item,
      current_period_start: store.now,
      current_period_end: addPeriods(store.now, item.price, 1),
    }))
    return { items, startsCycle, prorations: credits, periods: items.map((item) => periodLine(store, item)) }
  }
  const debits = changed.map((item) => prorationLine(store, item, { at, sign: 1, share }))
  return { items: after, startsCycle, prorations: [...credits, ...debits].filter(isAnything), periods: [] }
}

/** Lets a plan happen. */
export function applyPlanned(store: Store, object: Stripe.Subscription, planned: PlannedItems): void {
  object.items.data = planned.items
  object.currency = planned.items[0]?.price.currency ?? object.currency
  if (planned.startsCycle) object.billing_cycle_anchor = store.now
}

function changedItems(
  store: Store,
  object: Stripe.Subscription,
  changes: ItemChange[],
  newId: () => string,
): Stripe.SubscriptionItem[] {
  const items = [...object.items.data]
  for (const { id, price, quantity, deleted, metadata } of changes) {
    if (id === undefined) {
      if (price === undefined) {
        throw new ApiError(400, 'Missing required param: items[0][price].', {
          param: 'items[0][price]',
          code: 'parameter_missing',
        })
      }
      const [first] = object.items.data
      const period = {
        start: first?.current_period_start ?? store.now,
        end: first?.current_period_end ?? store.now,
      }
      items.push(
        itemObject(newId(), store.now, object.id, soldPrice(store, object, price), quantity ?? 1, period),
      )
      continue
    }
    const at = items.findIndex((item) => item.id === id)
    const item = items[at]
    if (!item) {
      throw new ApiError(400, `No such subscription item: '${id}'`, {
        code: 'resource_missing',
        param: 'items[0][id]',
      })
    }
    if (deleted) {
      items.splice(at, 1)
      continue
    }
    items[at] = {
      ...item,
      price: price === undefined || price === item.price.id ? item.price : soldPrice(store, object, price),
      // As Stripe does: a new price without a quantity means one.
      quantity: quantity ?? (price === undefined || price === item.price.id ? (item.quantity ?? 1) : 1),
      metadata: metadata === undefined ? item.metadata : { ...item.metadata, ...metadata },
    }
  }
  return items
}

/** A price that a subscription can change to. */
function soldPrice(store: Store, { currency }: Stripe.Subscription, id: string): Stripe.Price {
  const price = store.soldPrice(id)
  if (price.currency === currency) return price
  throw new ApiError(
    400,
    `The price specified only supports \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
    { param: 'items[0][price]' },
  )
}

function isSame(one: Stripe.SubscriptionItem, other: Stripe.SubscriptionItem): boolean {
  return one.id === other.id && one.price.id === other.price.id && one.quantity === other.quantity
}

function isAnything({ amount }: Line): boolean {
  return amount !== 0
}

function totalOf(items: Stripe.SubscriptionItem[]): number {
  return items.reduce((sum, { price, quantity }) => sum + (price.unit_amount ?? 0) * (quantity ?? 1), 0)
}

function checkProrationDate(items: Stripe.SubscriptionItem[], at: Seconds): void {
  const isInside = items.every(
    ({ current_period_start: start, current_period_end: end }) => start <= at && at <= end,
  )
  if (isInside) return
  throw new ApiError(400, 'The proration_date must be within the current billing period.', {
    param: 'proration_date',
  })
}
