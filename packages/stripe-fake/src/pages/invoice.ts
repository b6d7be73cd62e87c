import type { Stripe } from 'stripe'
import type { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../api/errors.ts'
import { collect, intentOf } from '../billing/collect.ts'
import { amountText, dateText } from '../billing/lines.ts'
import { payInvoice } from '../billing/pay-invoice.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'
import { challenge } from './checkout.ts'
import { choices, layout, pathOf } from './layout.ts'
import { pdfOf } from './pdf.ts'

/** An invoice as its customer sees it, where an open one can be paid, and the receipt of a payment. */
export function invoicePages({ store, emit }: StripeState, app: Hono): void {
  const invoiceOf = (id: string) => known(store.invoices, 'invoice', id)
  app.get('/invoice/:id', (context) => {
    const invoice = invoiceOf(context.req.param('id'))
    const declined = context.req.query('declined') !== undefined
    return context.html(
      layout(
        store,
        `Invoice ${invoice.number ?? ''}`,
        html`<p>
            ${dateText(invoice.created)}, ${invoice.customer_email ?? invoice.customer}: ${invoice.status}
          </p>
          <table>
            ${rowsOf(invoice).map(
              ([what, amount]) =>
                html`<tr>
                  <td>${what}</td>
                  <td>${amount}</td>
                </tr>`,
            )}
          </table>
          <p><a href="${pathOf(store, `/invoice/${invoice.id}/pdf`)}">Download the invoice</a></p>
          ${declined ? html`<p role="alert">Your card was declined.</p>` : ''}
          ${
            invoice.status === 'open'
              ? choices('outcome', [
                  ['pay', 'Pay'],
                  ['decline', 'Pay with a card that is declined'],
                  ['authenticate', 'Pay with a card that asks for authentication'],
                ])
              : ''
          }`,
      ),
    )
  })
  app.post('/invoice/:id', async (context) => {
    const invoice = invoiceOf(context.req.param('id'))
    const { outcome } = await context.req.parseBody()
    const customer = invoice.customer as string
    const here = pathOf(store, `/invoice/${invoice.id}`)
    if (outcome !== 'pay' && outcome !== 'decline' && outcome !== 'authenticate')
      throw new ApiError(400, 'This page has no such button.')
    store.customer(customer)
    store.cards.set(customer, cardOf[outcome])
    if (outcome === 'authenticate') {
      if (invoice.status === 'open') collect(store, emit, invoice, 'requires_action')
      return context.redirect(pathOf(store, `/challenge/${intentOf(store, invoice)?.id ?? ''}`), 303)
    }
    return context.redirect(
      tryToPay(invoice, outcome === 'pay' ? 'paid' : 'failed') ? here : `${here}?declined`,
      303,
    )
  })
  app.get('/invoice/:id/pdf', (context) => {
    const invoice = invoiceOf(context.req.param('id'))
    const text = [
      `Invoice ${invoice.number ?? invoice.id} of ${dateText(invoice.created)}`,
      `To ${invoice.customer_email ?? (invoice.customer as string)}`,
      '',
      ...rowsOf(invoice).map(([what, amount]) => `${what}: ${amount}`),
    ]
    return context.body(pdfOf(text), 200, { 'content-type': 'application/pdf' })
  })
  app.get('/challenge/:intent', (context) => {
    const invoice = invoiceOfIntent(context.req.param('intent'))
    const body =
      invoice.status === 'open'
        ? challenge(`Your bank asks: is it you who pays ${amountText(invoice.amount_due, invoice.currency)}?`)
        : html`<p>This invoice is ${invoice.status}.</p>`
    return context.html(layout(store, 'Authentication', body))
  })
  app.post('/challenge/:intent', async (context) => {
    const { answer } = await context.req.parseBody()
    const invoice = invoiceOfIntent(context.req.param('intent'))
    const here = pathOf(store, `/invoice/${invoice.id}`)
    return context.redirect(
      tryToPay(invoice, answer === 'complete' ? 'paid' : 'failed') ? here : `${here}?declined`,
      303,
    )
  })
  app.get('/receipt/:id', (context) => {
    const charge = known(store.charges, 'charge', context.req.param('id'))
    const { amount, amount_refunded: refunded, currency, created } = charge
    return context.html(
      layout(
        store,
        'Receipt',
        html`<p>${amountText(amount, currency)} paid on ${dateText(created)}.</p>
          ${refunded > 0 ? html`<p>${amountText(refunded, currency)} was refunded.</p>` : ''}`,
      ),
    )
  })

  function invoiceOfIntent(id: string): Stripe.Invoice {
    known(store.paymentIntents, 'payment_intent', id)
    return invoiceOf(id.replace(/^pi_/, 'in_'))
  }

  function tryToPay(invoice: Stripe.Invoice, attempt: 'paid' | 'failed'): boolean {
    try {
      payInvoice(store, emit, invoice, attempt)
      return true
    } catch (error) {
      if (error instanceof ApiError && error.status === 402) return false
      throw error
    }
  }
}

const cardOf = { pay: 'succeeds', decline: 'fails', authenticate: 'authenticates' } as const

function rowsOf(invoice: Stripe.Invoice): [string, string][] {
  const money = (amount: number) => amountText(amount, invoice.currency)
  const discounts = (invoice.total_discount_amounts ?? []).map(
    ({ amount }) => ['Discount', money(-amount)] as [string, string],
  )
  return [
    ...invoice.lines.data.map(
      ({ description, amount }) => [description ?? '', money(amount)] as [string, string],
    ),
    ...discounts,
    ['Total', money(invoice.total)],
    ['Due', money(invoice.amount_due)],
    ['Paid', money(invoice.amount_paid)],
  ]
}
