import type { Stripe } from 'stripe'
import { isWithin, pageOf } from '../api/page.ts'
import {
  echoed,
  emptyable,
  metadata,
  nothing,
  paging,
  range,
  shape,
  text,
  type Fields,
} from '../api/shapes.ts'
import type { Api } from '../api/api.ts'
import { mergedMetadata } from '../billing/change-fields.ts'
import { customerObject } from '../objects/customer.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'

const written = {
  email: emptyable(text).optional(),
  name: emptyable(text).optional(),
  description: emptyable(text).optional(),
  phone: emptyable(text).optional(),
  metadata: metadata.optional(),
  address: echoed.optional(),
  preferred_locales: echoed.optional(),
} satisfies Fields<Stripe.CustomerCreateParams>

export function customerRoutes({ store, emit, deleteCustomer }: StripeState, api: Api): void {
  const write = (
    customer: Stripe.Customer,
    params: { metadata?: Record<string, string> | null | undefined },
  ) => {
    const { metadata: change, ...fields } = params
    Object.assign(customer, fields)
    if (change !== undefined) customer.metadata = mergedMetadata(customer.metadata, change)
    return customer
  }
  api('post', '/v1/customers', shape(written), ({ params }) => {
    const customer = write(customerObject(store.id('cus'), store.now, null), params)
    store.customers.set(customer.id, customer)
    emit('customer.created', customer)
    return customer
  })
  api(
    'get',
    '/v1/customers',
    shape({
      ...paging,
      email: text.optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.CustomerListParams>),
    ({ params }) =>
      pageOf(
        store.customers.values(),
        (customer) =>
          !customer.deleted &&
          (params.email === undefined || customer.email === params.email) &&
          isWithin(customer.created, params.created),
        '/v1/customers',
        params,
      ),
  )
  api('get', '/v1/customers/:id', nothing, ({ id }) => known(store.customers, 'customer', id))
  api('post', '/v1/customers/:id', shape(written), ({ id, params }) => {
    const customer = write(store.customer(id), params)
    emit('customer.updated', customer)
    return customer
  })
  api('delete', '/v1/customers/:id', nothing, ({ id }) => deleteCustomer(id))
}
