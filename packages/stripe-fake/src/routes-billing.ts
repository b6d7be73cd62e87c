import type { Stripe } from 'stripe'
import { hour } from './clock.ts'
import { ApiError } from './errors.ts'
import type { StripeState } from './state.ts'
import { list } from './objects.ts'
import { flag, inner, metadataOf, page, required, rows, text, whole, type Params } from './params.ts'
import type { Api } from './api.ts'
import { known } from './store.ts'
import * as subscriptions from './subscriptions.ts'

/** Subscriptions, invoices, Checkout and the portal. */
export function billingRoutes(fake: StripeState, api: Api): void {
  subscriptionRoutes(fake, api)
  checkoutRoutes(fake, api)
  const { store } = fake
  api('get', '/v1/invoices', ({ params }) => {
    const subscription = text(params, 'subscription')
    const customer = text(params, 'customer')
    const all = [...store.invoices.values()].filter(
      (invoice) =>
        (customer === undefined || invoice.customer === customer) &&
        (subscription === undefined || invoice.parent?.subscription_details?.subscription === subscription),
    )
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/invoices', hasMore)
  })
  api('get', '/v1/invoices/:id', ({ id }) => known(store.invoices, 'invoice', id))
  api('post', '/v1/invoices/:id/pay', ({ id }) => {
    const invoice = known(store.invoices, 'invoice', id)
    if (invoice.status !== 'open')
      throw new ApiError(400, 'Invoice is not open.', { code: 'invoice_not_editable' })
    subscriptions.payOwed(
      store,
      fake.emit,
      store.subscription(invoice.parent?.subscription_details?.subscription as string),
    )
    if (invoice.status !== 'paid') {
      throw new ApiError(402, 'Your card was declined.', { type: 'card_error', code: 'card_declined' })
    }
    return invoice
  })
}

function subscriptionRoutes(fake: StripeState, api: Api): void {
  const { store, emit } = fake
  api('post', '/v1/subscriptions', ({ params }) =>
    subscriptions.shown(
      subscriptions.subscribe(store, emit, {
        customer: required(params, 'customer'),
        items: rows(params, 'items').map((item) => ({
          price: required(item, 'price'),
          quantity: whole(item, 'quantity') ?? 1,
        })),
        trialDays: whole(params, 'trial_period_days') ?? 0,
      }),
    ),
  )
  api('get', '/v1/subscriptions', ({ params }) => {
    const customer = text(params, 'customer')
    const status = text(params, 'status')
    const all = [...store.subscriptions.values()]
      .filter(({ object }) => customer === undefined || object.customer === customer)
      .filter(({ object }) => matchesStatus(object.status, status))
      .map(subscriptions.shown)
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/subscriptions', hasMore)
  })
  api('get', '/v1/subscriptions/:id', ({ id }) => subscriptions.shown(store.subscription(id)))
  api('post', '/v1/subscriptions/:id', ({ id, params }) => {
    const state = store.subscription(id)
    subscriptions.update(store, emit, state, changeOf(params))
    return subscriptions.shown(state)
  })
  api('delete', '/v1/subscriptions/:id', ({ id }) => {
    const state = store.subscription(id)
    subscriptions.cancelNow(store, emit, state)
    return subscriptions.shown(state)
  })
  api('post', '/v1/subscriptions/:id/pause', ({ id }) => {
    const state = store.subscription(id)
    subscriptions.pause(emit, state)
    return subscriptions.shown(state)
  })
  api('post', '/v1/subscriptions/:id/resume', ({ id }) => {
    const state = store.subscription(id)
    subscriptions.resume(store, emit, state)
    return subscriptions.shown(state)
  })
  api('get', '/v1/subscription_items', ({ params }) => {
    const all = store.subscription(required(params, 'subscription')).object.items.data.toReversed()
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/subscription_items', hasMore)
  })
}

function matchesStatus(status: Stripe.Subscription.Status, wanted: string | undefined): boolean {
  if (wanted === 'all') return true
  if (wanted === undefined) return status !== 'canceled'
  return status === wanted
}

function changeOf(params: Params): subscriptions.Change {
  const [item] = rows(params, 'items')
  const pause = params.pause_collection
  return {
    cancelAtPeriodEnd: flag(params, 'cancel_at_period_end'),
    cancelAt: params.cancel_at === '' ? null : whole(params, 'cancel_at'),
    price: item && {
      item: text(item, 'id'),
      price: required(item, 'price'),
      quantity: whole(item, 'quantity'),
    },
    pauseCollection:
      pause === undefined
        ? undefined
        : pause === ''
          ? null
          : {
              behavior: text(pause as Params, 'behavior') ?? 'void',
              resumes_at: null,
            },
    trialEnd: text(params, 'trial_end') === 'now' ? 'now' : undefined,
    metadata: params.metadata === undefined ? undefined : metadataOf(params),
  }
}

function checkoutRoutes(fake: StripeState, api: Api): void {
  const { store } = fake
  api('post', '/v1/checkout/sessions', ({ params }) => {
    const customer = store.customer(required(params, 'customer')).id
    if (required(params, 'mode') !== 'subscription')
      throw new ApiError(400, 'This stand-in supports mode=subscription only.')
    const id = store.id('cs_test')
    const trialDays = whole(inner(params, 'subscription_data'), 'trial_period_days') ?? 0
    const lines = rows(params, 'line_items').map((item) => ({
      id: store.id('li'),
      object: 'item',
      price: store.price(required(item, 'price')),
      quantity: whole(item, 'quantity') ?? 1,
    }))
    const session = {
      id,
      object: 'checkout.session',
      cancel_url: text(params, 'cancel_url') ?? null,
      client_reference_id: text(params, 'client_reference_id') ?? null,
      created: store.now,
      customer,
      expires_at: store.now + 24 * hour,
      invoice: null,
      line_items: list(lines as unknown as Stripe.LineItem[], `/v1/checkout/sessions/${id}/line_items`),
      livemode: false,
      metadata: { ...metadataOf(params), ...(trialDays > 0 ? { __trial_days: String(trialDays) } : {}) },
      mode: 'subscription',
      payment_status: 'unpaid',
      status: 'open',
      subscription: null,
      success_url: text(params, 'success_url')?.replace('{CHECKOUT_SESSION_ID}', id) ?? null,
      url: `${fake.baseUrl}/pay/${id}`,
    } satisfies Partial<Stripe.Checkout.Session> as unknown as Stripe.Checkout.Session
    store.sessions.set(id, session)
    return session
  })
  api('get', '/v1/checkout/sessions', ({ params }) => {
    const customer = text(params, 'customer')
    const status = text(params, 'status')
    const all = [...store.sessions.values()].filter(
      (session) =>
        (customer === undefined || session.customer === customer) &&
        (status === undefined || session.status === status),
    )
    const { data, hasMore } = page(all, params)
    return list(data, '/v1/checkout/sessions', hasMore)
  })
  api('get', '/v1/checkout/sessions/:id', ({ id }) => known(store.sessions, 'checkout session', id))
  api('post', '/v1/checkout/sessions/:id/expire', ({ id }) => {
    const session = known(store.sessions, 'checkout session', id)
    if (session.status !== 'open') throw new ApiError(400, 'Only open sessions can be expired.')
    session.status = 'expired'
    fake.emit('checkout.session.expired', session)
    return session
  })
  api('post', '/v1/billing_portal/sessions', ({ params }) => {
    const customer = store.customer(required(params, 'customer')).id
    const id = store.id('bps')
    const session = {
      id,
      object: 'billing_portal.session',
      created: store.now,
      customer,
      livemode: false,
      return_url: text(params, 'return_url') ?? null,
      url: `${fake.baseUrl}/portal/${id}`,
    } satisfies Partial<Stripe.BillingPortal.Session> as unknown as Stripe.BillingPortal.Session
    store.portals.set(id, session)
    return session
  })
}
