import type { Stripe } from 'stripe'
import type { Api } from '../api/api.ts'
import { noSuch } from '../api/errors.ts'
import { isWithin, pageOf } from '../api/page.ts'
import { nothing, paging, range, rows, shape, text, type Fields } from '../api/shapes.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'

/** Events and active entitlements. */
export function eventRoutes({ store }: StripeState, api: Api): void {
  api(
    'get',
    '/v1/events',
    shape({
      ...paging,
      type: text.optional(),
      types: rows(text).optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.EventListParams>),
    ({ params }) => {
      const types = params.types ?? (params.type === undefined ? undefined : [params.type])
      return pageOf(
        store.events.values(),
        ({ type, created }) =>
          (types === undefined || types.includes(type)) && isWithin(created, params.created),
        '/v1/events',
        params,
      )
    },
  )
  api('get', '/v1/events/:id', nothing, ({ id }) => known(store.events, 'event', id))
  api(
    'get',
    '/v1/entitlements/active_entitlements',
    shape({
      ...paging,
      customer: text,
    } satisfies Fields<Stripe.Entitlements.ActiveEntitlementListParams>),
    ({ params }) => {
      const { customer } = params
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
      return pageOf(all, () => true, '/v1/entitlements/active_entitlements', params)
    },
  )
}
