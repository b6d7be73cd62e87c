import type { Hono } from 'hono'
import { html } from 'hono/html'
import { completeSession, enterPromotionCode, needsCard, openSessionOf } from '../billing/checkout.ts'
import { amountText } from '../billing/lines.ts'
import { ApiError } from '../api/errors.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'
import { choices, layout, pathOf } from './layout.ts'

/** Checkout, which can be paid, declined or left. */
export function checkoutPages(fake: StripeState, app: Hono): void {
  const { store, emit } = fake
  app.get('/pay/:id', (context) => {
    const session = known(store.sessions, 'checkout session', context.req.param('id'))
    if (session.status !== 'open')
      return context.html(layout(store, 'Checkout', html`<p>This session is ${session.status}.</p>`), 410)
    const lines = store.sessionLines.get(session.id) ?? []
    const off = session.total_details?.amount_discount ?? 0
    const trialDays = store.sessionData.get(session.id)?.trialDays ?? 0
    const told = (name: string, text: string) =>
      context.req.query(name) === undefined ? '' : html`<p role="alert">${text}</p>`
    return context.html(
      layout(
        store,
        'Checkout',
        html`<ul>
            ${lines.map(({ price, quantity }) => html`<li>${store.productName(price)} × ${quantity}: ${amountText(price?.unit_amount, price?.currency)}</li>`)}
          </ul>
          ${trialDays > 0 ? html`<p>Free for ${trialDays} days, then:</p>` : ''}
          ${off > 0 ? html`<p>Discount: ${amountText(off, session.currency ?? 'usd')}</p>` : ''}
          <p>Total: ${amountText(session.amount_total, session.currency ?? 'usd')}</p>
          ${told('declined', 'Your card was declined.')} ${told('unknown-code', 'This code is invalid.')}
          ${
            session.allow_promotion_codes
              ? html`<form method="post">
                  <label>Promotion code <input name="code" required /></label>
                  <button name="outcome" value="code">Apply</button>
                </form>`
              : ''
          }
          ${choices('outcome', [
            ...(needsCard(store, session) ? [] : [['no-card', 'Start without a card'] as [string, string]]),
            ['pay', 'Pay'],
            ['decline', 'Pay with a card that is declined'],
            ['authenticate', 'Pay with a card that asks for authentication'],
            ['leave', 'Go back without paying'],
          ])}`,
      ),
    )
  })
  app.post('/pay/:id', async (context) => {
    const id = context.req.param('id')
    const { outcome, code } = await context.req.parseBody<Record<string, string>>()
    const session = openSessionOf(store, id)
    const here = (query = '') => context.redirect(pathOf(store, `/pay/${id}${query}`), 303)
    const done = session.success_url ?? '/'
    switch (outcome) {
      case 'leave':
        return context.redirect(session.cancel_url ?? '/', 303)
      case 'code':
        return here(enterPromotionCode(store, id, code ?? '') ? '' : '?unknown-code')
      case 'no-card':
        if (needsCard(store, session)) return here('?declined')
        completeSession(store, emit, id, 'none')
        return context.redirect(done, 303)
      case 'authenticate':
        return context.redirect(pathOf(store, `/pay/${id}/challenge`), 303)
      case 'pay':
        completeSession(store, emit, id, 'succeeds')
        return context.redirect(done, 303)
      case 'decline':
        fake.completeCheckout(id, false)
        return here('?declined')
      default:
        throw new ApiError(400, `This stand-in's Checkout has no button ${outcome}.`)
    }
  })
  app.get('/pay/:id/challenge', (context) => {
    const session = openSessionOf(store, context.req.param('id'))
    const amount = amountText(session.amount_total, session.currency ?? 'usd')
    return context.html(
      layout(store, 'Authentication', challenge(`Your bank asks: is it you who pays ${amount}?`)),
    )
  })
  app.post('/pay/:id/challenge', async (context) => {
    const id = context.req.param('id')
    const { answer } = await context.req.parseBody()
    const session = openSessionOf(store, id)
    if (answer !== 'complete') {
      fake.completeCheckout(id, false)
      return context.redirect(pathOf(store, `/pay/${id}?declined`), 303)
    }
    completeSession(store, emit, id, 'authenticates')
    return context.redirect(session.success_url ?? '/', 303)
  })
}

export function challenge(question: string) {
  return html`<p>${question}</p>
    ${choices('answer', [
      ['complete', 'Complete authentication'],
      ['fail', 'Fail authentication'],
    ])}`
}
