import { customerObject, list, priceObject, productObject } from './objects.ts'
import { flag, inner, metadataOf, page, required, text, whole } from './params.ts'
import { known } from './store.ts'
import { ApiError, noSuch } from './errors.ts'
import type { StripeState } from './state.ts'
import type { Api } from './api.ts'

/** Customers, products, prices, charges, refunds, disputes, events. */
export function customerRoutes(fake: StripeState, api: Api): void {
  const { store } = fake
  api('post', '/v1/customers', ({ params }) => {
    const customer = customerObject(store.id('cus'), store.now, text(params, 'email') ?? null)
    customer.name = text(params, 'name') ?? null
    customer.metadata = metadataOf(params)
    store.customers.set(customer.id, customer)
    fake.emit('customer.created', customer)
    return customer
  })
  api('get', '/v1/customers', ({ params }) => {
    const all = [...store.customers.values()].filter((customer) => !customer.deleted)
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/customers', hasMore)
  })
  api('get', '/v1/customers/:id', ({ id }) => known(store.customers, 'customer', id))
  api('post', '/v1/customers/:id', ({ id, params }) => {
    const customer = store.customer(id)
    customer.email = text(params, 'email') ?? customer.email
    customer.name = text(params, 'name') ?? customer.name ?? null
    customer.metadata = { ...customer.metadata, ...metadataOf(params) }
    fake.emit('customer.updated', customer)
    return customer
  })
  api('delete', '/v1/customers/:id', ({ id }) => fake.deleteCustomer(id))

  api('post', '/v1/products', ({ params }) => {
    const product = productObject(store.id('prod'), store.now, required(params, 'name'))
    store.products.set(product.id, product)
    return product
  })
  api('get', '/v1/products/:id', ({ id }) => known(store.products, 'product', id))
  api('post', '/v1/prices', ({ params }) => {
    const recurring = inner(params, 'recurring')
    const price = priceObject(
      store.id('price'),
      store.now,
      required(params, 'product'),
      whole(params, 'unit_amount') ?? 0,
      required(params, 'currency'),
      {
        interval: text(recurring, 'interval') === 'year' ? 'year' : 'month',
        interval_count: whole(recurring, 'interval_count') ?? 1,
      },
    )
    store.prices.set(price.id, price)
    return price
  })
  api('get', '/v1/prices', ({ params }) => {
    const active = flag(params, 'active')
    const all = [...store.prices.values()].filter((price) => active === undefined || price.active === active)
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/prices', hasMore)
  })
  api('get', '/v1/prices/:id', ({ id }) => store.price(id))

  api('get', '/v1/charges/:id', ({ id }) => known(store.charges, 'charge', id))
  api('post', '/v1/refunds', ({ params }) => {
    const charge = known(store.charges, 'charge', required(params, 'charge'))
    const refund = fake.refund(charge.customer as string)
    if (!refund)
      throw new ApiError(400, 'Charge has already been refunded.', { code: 'charge_already_refunded' })
    return refund
  })
  api('get', '/v1/refunds', ({ params }) => {
    const charge = text(params, 'charge')
    const all = [...store.refunds.values()].filter(
      (refund) => charge === undefined || refund.charge === charge,
    )
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/refunds', hasMore)
  })
  api('get', '/v1/refunds/:id', ({ id }) => known(store.refunds, 'refund', id))
  api('get', '/v1/disputes/:id', ({ id }) => known(store.disputes, 'dispute', id))

  api('get', '/v1/events', ({ params }) => {
    const types = new Set(Object.values(inner(params, 'types')).concat(params.types ?? []))
    const created = inner(params, 'created')
    const since = whole(created, 'gte') ?? whole(created, 'gt') ?? 0
    const all = [...store.events.values()].filter(
      (event) => event.created >= since && (types.size === 0 || types.has(event.type)),
    )
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/events', hasMore)
  })
  api('get', '/v1/events/:id', ({ id }) => known(store.events, 'event', id))
  api('get', '/v1/entitlements/active_entitlements', ({ params }) => {
    const customer = required(params, 'customer')
    if (!store.customers.has(customer)) throw noSuch('customer', customer)
    const keys = new Set(
      store
        .subscriptionsOf(customer)
        .filter(({ object }) => object.status === 'active' || object.status === 'trialing')
        .flatMap(({ object }) => object.items.data)
        .flatMap(({ price }) => store.features.get(price.product as string) ?? []),
    )
    const all = [...keys].map((key) => ({
      id: `ent_${customer}_${key}`,
      object: 'entitlements.active_entitlement',
      feature: `feat_${key}`,
      livemode: false,
      lookup_key: key,
    }))
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/entitlements/active_entitlements', hasMore)
  })
}
