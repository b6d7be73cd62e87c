import type { Stripe } from 'stripe'
import type { Api } from '../api/api.ts'
import { isWithin, pageOf } from '../api/page.ts'
import {
  atLeast,
  flag,
  metadata,
  nothing,
  oneOf,
  paging,
  range,
  rows,
  shape,
  text,
  type Fields,
} from '../api/shapes.ts'
import { priceObject, productObject } from '../objects/product.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'

/** Products and prices. */
export function catalogRoutes({ store }: StripeState, api: Api): void {
  api(
    'post',
    '/v1/products',
    shape({
      name: text,
      description: text.optional(),
      active: flag.optional(),
      metadata: metadata.optional(),
    } satisfies Fields<Stripe.ProductCreateParams>),
    ({ params: { name, description = null, active = true, metadata: written } }) => {
      const product = productObject(store.id('prod'), store.now, name)
      Object.assign(product, { description, active, metadata: written ?? {} })
      store.products.set(product.id, product)
      return product
    },
  )
  api(
    'get',
    '/v1/products',
    shape({
      ...paging,
      active: flag.optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.ProductListParams>),
    ({ params }) =>
      pageOf(
        store.products.values(),
        ({ active, created }) =>
          (params.active === undefined || active === params.active) && isWithin(created, params.created),
        '/v1/products',
        params,
      ),
  )
  api('get', '/v1/products/:id', nothing, ({ id }) => known(store.products, 'product', id))
  api(
    'post',
    '/v1/prices',
    shape({
      product: text,
      currency: text,
      unit_amount: atLeast(0).optional(),
      nickname: text.optional(),
      lookup_key: text.optional(),
      metadata: metadata.optional(),
      recurring: shape({
        interval: oneOf<Stripe.PriceCreateParams.Recurring.Interval>()('day', 'week', 'month', 'year'),
        interval_count: atLeast(1).optional(),
      } satisfies Fields<Stripe.PriceCreateParams.Recurring>),
    } satisfies Fields<Stripe.PriceCreateParams>),
    ({ params }) => {
      const { interval, interval_count: count = 1 } = params.recurring
      const product = known(store.products, 'product', params.product)
      const price = priceObject(
        store.id('price'),
        store.now,
        product.id,
        params.unit_amount ?? 0,
        params.currency,
        { interval, interval_count: count },
      )
      Object.assign(price, {
        nickname: params.nickname ?? null,
        lookup_key: params.lookup_key ?? null,
        metadata: params.metadata ?? {},
      })
      store.prices.set(price.id, price)
      return price
    },
  )
  api(
    'get',
    '/v1/prices',
    shape({
      ...paging,
      active: flag.optional(),
      product: text.optional(),
      currency: text.optional(),
      created: range.optional(),
      type: oneOf<Stripe.PriceListParams.Type>()('recurring', 'one_time').optional(),
      lookup_keys: rows(text).optional(),
    } satisfies Fields<Stripe.PriceListParams>),
    ({ params }) =>
      pageOf(
        store.prices.values(),
        (price) =>
          (params.active === undefined || price.active === params.active) &&
          (params.product === undefined || price.product === params.product) &&
          (params.currency === undefined || price.currency === params.currency) &&
          (params.type === undefined || price.type === params.type) &&
          (params.lookup_keys === undefined || params.lookup_keys.includes(price.lookup_key ?? '')) &&
          isWithin(price.created, params.created),
        '/v1/prices',
        params,
      ),
  )
  api('get', '/v1/prices/:id', nothing, ({ id }) => store.price(id))
  api(
    'post',
    '/v1/prices/:id',
    shape({
      active: flag.optional(),
      nickname: text.optional(),
      lookup_key: text.optional(),
      metadata: metadata.optional(),
    } satisfies Fields<Stripe.PriceUpdateParams>),
    ({ id, params }) => Object.assign(store.price(id), params),
  )
}
