import { paymentOf } from '../billing/collect.ts'
import { shownSubscription } from '../objects/shown.ts'
import { list } from '../objects/list.ts'
import type { Store } from '../store.ts'
import { ApiError } from './errors.ts'

/** Fields that Stripe shows only when they are asked for: objects here do not have them. */
const asked: Record<string, Record<string, (store: Store, id: string) => unknown>> = {
  invoice: {
    payments: (store, id) => {
      const payment = paymentOf(store, id)
      return list(payment ? [structuredClone(payment)] : [], `/v1/invoice_payments?invoice=${id}`)
    },
    confirmation_secret: (store, id) => {
      const intent = store.paymentIntents.get((paymentOf(store, id)?.payment.payment_intent ?? '') as string)
      return intent ? { client_secret: intent.client_secret, type: 'payment_intent' } : null
    },
  },
  'checkout.session': {
    line_items: (store, id) =>
      list(structuredClone(store.sessionLines.get(id) ?? []), `/v1/checkout/sessions/${id}/line_items`),
  },
}

/** The answer with what `expand` names: in place of ids, and what is shown only on demand. */
export function expanded(store: Store, answer: object, paths: string[]): object {
  if (paths.length === 0) return answer
  const copy = JSON.parse(JSON.stringify(answer)) as Record<string, unknown>
  for (const path of paths) expandPath(store, copy, path.split('.'), path)
  return copy
}

function expandPath(store: Store, at: unknown, [name, ...others]: string[], path: string): void {
  if (name === undefined || at === null) return
  if (Array.isArray(at)) {
    for (const one of at) expandPath(store, one, [name, ...others], path)
    return
  }
  if (typeof at !== 'object') throw cannotExpand(path)
  const object = at as Record<string, unknown>
  const fields = asked[String(object.object)]
  if (fields && Object.hasOwn(fields, name)) object[name] ??= fields[name]?.(store, String(object.id))
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  const result = Array.isArray(value) ? value.map((one) => objectOf(store, one)) : objectOf(store, value)
  if (typeof result !== 'object' || name === 'id') throw cannotExpand(path)
  object[name] = result
  expandPath(store, result, others, path)
}

function cannotExpand(path: string): ApiError {
  return new ApiError(400, `This property cannot be expanded (${path}).`, { param: 'expand' })
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
