import { customerObject } from './objects/customer.ts'
import { invoiceObject } from './objects/invoice.ts'
import { subscriptionObject } from './objects/subscription.ts'
import type { Store } from './store.ts'

/** Gives objects that an older stand-in saved the fields that have come since. */
export function fillIn(store: Store): void {
  for (const customer of store.customers.values()) {
    if (customer.deleted) continue
    add(customer, customerObject(customer.id, customer.created, customer.email))
  }
  for (const { object } of store.subscriptions.values()) {
    add(object, subscriptionObject(object.id, object.created, object.customer as string, object.status))
  }
  for (const session of store.sessions.values()) {
    store.sessionLines.set(session.id, store.sessionLines.get(session.id) ?? session.line_items?.data ?? [])
    delete session.line_items
  }
  for (const invoice of store.invoices.values()) {
    const customer = store.customers.get(invoice.customer as string)
    add(
      invoice,
      invoiceObject({
        id: invoice.id,
        created: invoice.created,
        customer:
          customer && !customer.deleted ? customer : customerObject(invoice.customer as string, 0, null),
        currency: invoice.currency,
        subscription: undefined,
        reason: invoice.billing_reason ?? 'manual',
        lines: [],
        discounts: [],
        discountAmounts: [],
      }),
    )
  }
}

function add<Value extends object>(object: Value, fresh: Value): void {
  for (const [name, value] of Object.entries(fresh)) {
    if (!Object.hasOwn(object, name)) (object as Record<string, unknown>)[name] = value
  }
}
