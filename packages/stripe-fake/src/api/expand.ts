import { paymentOf } from '../billing/collect.ts'
import { shownSubscription } from '../objects/shown.ts'
import { list } from '../objects/list.ts'
import type { Store } from '../store.ts'
import { ApiError } from './errors.ts'

/** Fields that Stripe shows only when they are asked for. */
const asked: Record<string, readonly string[]> = {
  invoice: ['payments', 'confirmation_secret'],
  'checkout.session': ['line_items'],
}

/** The answer with what `expand` names in place of ids, and without what nobody asked for. */
export function expanded(store: Store, answer: object, paths: string[]): object {
  const copy = JSON.parse(JSON.stringify(answer)) as Record<string, unknown>
  const included = new Map<object, Set<string>>()
  for (const path of paths) expandPath(store, copy, path.split('.'), path, included)
  hideUnasked(copy, included)
  return copy
}

/** A copy as events carry it: with nothing that must be asked for. */
export function withoutUnasked(object: object): object {
  const copy = structuredClone(object) as Json
  for (const name of asked[String(copy.object)] ?? []) delete copy[name]
  return copy
}

type Json = Record<string, unknown>

function expandPath(
  store: Store,
  at: unknown,
  [name, ...others]: string[],
  path: string,
  included: Map<object, Set<string>>,
): void {
  if (name === undefined || at === null || at === undefined) return
  if (Array.isArray(at)) {
    for (const one of at) expandPath(store, one, [name, ...others], path, included)
    return
  }
  const object = at as Json
  if (typeof at === 'object' && asked[String(object.object)]?.includes(name)) {
    included.set(object, new Set([...(included.get(object) ?? []), name]))
    object[name] ??= includedOf(store, object, name)
  }
  const value = typeof at === 'object' && Object.hasOwn(object, name) ? object[name] : undefined
  const result = Array.isArray(value) ? value.map((one) => objectOf(store, one)) : objectOf(store, value)
  if (result === undefined || typeof result !== 'object' || name === 'id') {
    throw new ApiError(400, `This property cannot be expanded (${path}).`, { param: 'expand' })
  }
  object[name] = result
  expandPath(store, object[name], others, path, included)
}

function includedOf(store: Store, object: Json, name: string): unknown {
  const payment = paymentOf(store, String(object.id))
  if (name === 'payments') {
    return list(
      payment ? [structuredClone(payment)] : [],
      `/v1/invoice_payments?invoice=${String(object.id)}`,
    )
  }
  if (name !== 'confirmation_secret') return null
  const intent = store.paymentIntents.get((payment?.payment.payment_intent ?? '') as string)
  return intent ? { client_secret: intent.client_secret, type: 'payment_intent' } : null
}

function hideUnasked(value: unknown, included: Map<object, Set<string>>): void {
  if (typeof value !== 'object' || value === null) return
  for (const name of asked[String((value as Json).object)] ?? []) {
    if (!included.get(value)?.has(name)) delete (value as Json)[name]
  }
  for (const inner of Object.values(value)) hideUnasked(inner, included)
}

/** A copy of the object of an id, or the value itself. */
function objectOf(store: Store, id: unknown): unknown {
  if (typeof id !== 'string') return id
  const state = store.subscriptions.get(id)
  const found = state ? shownSubscription(state) : findIn(store, id)
  return found === undefined ? id : JSON.parse(JSON.stringify(found))
}

function findIn(store: Store, id: string): object | undefined {
  const maps = [
    store.customers,
    store.products,
    store.prices,
    store.coupons,
    store.promotionCodes,
    store.discounts,
    store.schedules,
    store.invoices,
    store.paymentIntents,
    store.charges,
    store.refunds,
    store.disputes,
    store.sessions,
  ]
  return maps.map((map) => map.get(id)).find((found) => found !== undefined)
}
