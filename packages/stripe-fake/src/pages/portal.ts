import type { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../api/errors.ts'
import { amountText, dateText } from '../billing/lines.ts'
import { cancelNow, payOwed } from '../billing/renewal.ts'
import { update } from '../billing/update.ts'
import type { StripeState } from '../state.ts'
import { known, type Card, type SubscriptionState } from '../store.ts'
import { choices, layout, pathOf, type Page } from './layout.ts'

const cards: Record<string, Card> = {
  'card-succeeds': 'succeeds',
  'card-fails': 'fails',
  'card-authenticates': 'authenticates',
}

/** The customer portal. */
export function portalPages(fake: StripeState, app: Hono): void {
  const { store } = fake
  app.get('/portal/:id', (context) => {
    const portal = known(store.portals, 'portal session', context.req.param('id'))
    const rows = store.subscriptionsOf(portal.customer).map((state) => subscriptionRow(fake, state))
    const invoices = [...store.invoices.values()].filter(({ customer }) => customer === portal.customer)
    return context.html(
      layout(
        store,
        'Billing',
        html`${rows}
          ${choices('action', [
            ['card-succeeds', 'Use a card that works'],
            ['card-fails', 'Use a card that is declined'],
            ['card-authenticates', 'Use a card that asks for authentication'],
          ])}
          <ul>
            ${invoices
              .toReversed()
              .map(
                ({ id, number, created, total, currency, status }) =>
                  html`<li>
                    <a href="${pathOf(store, `/invoice/${id}`)}">Invoice ${number}</a> of
                    ${dateText(created)}: ${amountText(total, currency)}, ${status}
                  </li>`,
              )}
          </ul>
          <p><a href="${portal.return_url ?? '/'}">Go back</a></p>`,
      ),
    )
  })
  app.post('/portal/:id', async (context) => {
    const portal = known(store.portals, 'portal session', context.req.param('id'))
    const { action, subscription, price } = await context.req.parseBody<Record<string, string>>()
    portalAction(fake, portal.customer, action ?? '', subscription, price)
    return context.redirect(pathOf(store, `/portal/${portal.id}`), 303)
  })
}

function portalAction(
  { store, emit }: StripeState,
  customer: string,
  action: string,
  subscription: string | undefined,
  price: string | undefined,
): void {
  const card = cards[action]
  if (card !== undefined) {
    store.cards.set(customer, card)
    if (card !== 'succeeds') return
    for (const state of store.subscriptionsOf(customer)) payOwed(store, emit, state)
    return
  }
  const state = store.subscriptionsOf(customer).find(({ object }) => object.id === subscription)
  if (!state) throw new ApiError(404, 'This customer has no such subscription.')
  switch (action) {
    case 'cancel':
      return update(store, emit, state, { cancelAtPeriodEnd: true })
    case 'keep':
      return update(store, emit, state, { cancelAtPeriodEnd: false })
    case 'cancel-now':
      return cancelNow(store, emit, state)
    case 'change':
      return update(store, emit, state, { price: { item: 'first', price: price ?? '', quantity: undefined } })
    default:
      throw new ApiError(400, `This stand-in's portal has no action ${action}.`)
  }
}

function subscriptionRow({ store }: StripeState, { object }: SubscriptionState): Page {
  const [item] = object.items.data
  const isOver = object.ended_at !== null
  const leaves = object.cancel_at === null ? '' : `, ends ${dateText(object.cancel_at)}`
  return html`<section>
    <h2>${store.productName(item?.price)}</h2>
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
                ${[...store.prices.values()].map((price) => html`<option value="${price.id}">${store.productName(price)}</option>`)}
              </select></label
            >
            <button name="action" value="change">Change plan</button>
          </form>`
    }
  </section>`
}
