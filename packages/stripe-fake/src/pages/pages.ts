import type { Hono } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { ApiError } from '../api/errors.ts'
import type { StripeState } from '../state.ts'
import { known, type SubscriptionState } from '../store.ts'
import * as subscriptions from '../subscriptions.ts'

type Page = HtmlEscapedString | Promise<HtmlEscapedString>

/** The pages a customer sees: Checkout, which can be paid, declined or left, and the portal. */
export function pageRoutes(fake: StripeState, app: Hono): void {
  const { store } = fake
  app.get('/pay/:id', (context) => {
    const session = known(store.sessions, 'checkout session', context.req.param('id'))
    if (session.status !== 'open')
      return context.html(layout('Checkout', html`<p>This session is ${session.status}.</p>`), 410)
    const lines = session.line_items?.data ?? []
    const declined = context.req.query('declined') !== undefined
    return context.html(
      layout(
        'Checkout',
        html`<ul>
            ${lines.map(({ price, quantity }) => html`<li>${productName(fake, price?.product)} × ${quantity}: ${amount(price?.unit_amount, price?.currency)}</li>`)}
          </ul>
          ${declined ? html`<p role="alert">Your card was declined.</p>` : ''}
          <form method="post">
            <button name="outcome" value="pay">Pay</button>
            <button name="outcome" value="decline">Pay with a card that is declined</button>
            <button name="outcome" value="leave">Go back without paying</button>
          </form>`,
      ),
    )
  })
  app.post('/pay/:id', async (context) => {
    const id = context.req.param('id')
    const { outcome } = await context.req.parseBody()
    const session = known(store.sessions, 'checkout session', id)
    if (outcome === 'leave') return context.redirect(session.cancel_url ?? '/', 303)
    fake.completeCheckout(id, outcome === 'pay')
    return context.redirect(outcome === 'pay' ? (session.success_url ?? '/') : `/pay/${id}?declined`, 303)
  })
  app.get('/portal/:id', (context) => {
    const portal = known(store.portals, 'portal session', context.req.param('id'))
    const rows = store.subscriptionsOf(portal.customer).map((state) => subscriptionRow(fake, state))
    return context.html(
      layout(
        'Billing',
        html`${rows}
          <form method="post">
            <button name="action" value="card-succeeds">Use a card that works</button>
            <button name="action" value="card-fails">Use a card that is declined</button>
          </form>
          <p><a href="${portal.return_url ?? '/'}">Go back</a></p>`,
      ),
    )
  })
  app.post('/portal/:id', async (context) => {
    const portal = known(store.portals, 'portal session', context.req.param('id'))
    const { action, subscription, price } = await context.req.parseBody<Record<string, string>>()
    portalAction(fake, portal.customer, action ?? '', subscription, price)
    return context.redirect(`/portal/${portal.id}`, 303)
  })
}

function portalAction(
  fake: StripeState,
  customer: string,
  action: string,
  subscription: string | undefined,
  price: string | undefined,
): void {
  const { store, emit } = fake
  if (action === 'card-succeeds' || action === 'card-fails') {
    store.cards.set(customer, action === 'card-fails' ? 'fails' : 'succeeds')
    if (action === 'card-fails') return
    for (const state of store.subscriptionsOf(customer)) subscriptions.payOwed(store, emit, state)
    return
  }
  const state = store.subscriptionsOf(customer).find(({ object }) => object.id === subscription)
  if (!state) throw new ApiError(404, 'This customer has no such subscription.')
  switch (action) {
    case 'cancel':
      return subscriptions.update(store, emit, state, { cancelAtPeriodEnd: true })
    case 'keep':
      return subscriptions.update(store, emit, state, { cancelAtPeriodEnd: false })
    case 'cancel-now':
      return subscriptions.cancelNow(store, emit, state)
    case 'change':
      return subscriptions.update(store, emit, state, {
        price: { item: 'first', price: price ?? '', quantity: undefined },
      })
    default:
      throw new ApiError(400, `This stand-in's portal has no action ${action}.`)
  }
}

function subscriptionRow(fake: StripeState, { object }: SubscriptionState): Page {
  const [item] = object.items.data
  const isOver = object.ended_at !== null
  const leaves =
    object.cancel_at === null ? '' : `, ends ${new Date(object.cancel_at * 1000).toISOString().slice(0, 10)}`
  return html`<section>
    <h2>${productName(fake, item?.price.product)}</h2>
    <p>${object.status}${leaves}</p>
    ${
      isOver
        ? ''
        : html`<form method="post">
            <input type="hidden" name="subscription" value="${object.id}" />
            <button name="action" value="${object.cancel_at === null ? 'cancel' : 'keep'}">
              ${object.cancel_at === null ? 'Cancel at the end of the period' : 'Keep the subscription'}
            </button>
            <button name="action" value="cancel-now">Cancel now</button>
            <label
              >Plan
              <select name="price">
                ${[...fake.store.prices.values()].map((price) => html`<option value="${price.id}">${productName(fake, price.product)}</option>`)}
              </select></label
            >
            <button name="action" value="change">Change plan</button>
          </form>`
    }
  </section>`
}

function productName(fake: StripeState, product: unknown): string {
  return fake.store.products.get(String(product))?.name ?? 'Unknown product'
}

function amount(cents: number | null | undefined, currency = 'usd'): string {
  return `${((cents ?? 0) / 100).toFixed(2)} ${currency.toUpperCase()}`
}

function layout(title: string, body: Page): Page {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} (stand-in for Stripe)</title>
        <style>
          body {
            font:
              1rem/1.5 system-ui,
              sans-serif;
            max-width: 36rem;
            margin: 2rem auto;
            padding: 0 1rem;
            color-scheme: light dark;
          }
          button {
            font: inherit;
            padding: 0.4rem 0.8rem;
            margin: 0.2rem 0;
          }
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
          <p><small>No money moves here: this is a stand-in for Stripe.</small></p>
        </main>
      </body>
    </html>`
}
