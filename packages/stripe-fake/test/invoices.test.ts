import { expect, test } from 'vitest'
import { day, serveStripeFake } from '../src/index.ts'
import { openPages } from './pages.ts'
import { start } from './start.ts'

test('an invoice says what was paid, when, for what, and where it can be seen', async () => {
  await using server = await serveStripeFake()
  const { stripe, checkout, press, read, pro } = await openPages(server)
  const { id, url } = await checkout()
  await press(url, { outcome: 'pay' })
  const session = await stripe.checkout.sessions.retrieve(id, { expand: ['invoice', 'line_items'] })
  expect(session.line_items?.data[0]).toMatchObject({ amount_total: 1900, quantity: 1 })
  const { invoice } = session
  if (invoice === null || typeof invoice === 'string') throw new Error('not expanded')
  expect(invoice).toMatchObject({
    number: expect.stringMatching(/-0001$/) as string,
    billing_reason: 'subscription_create',
    customer_email: 'a@example.com',
    amount_due: 1900,
    amount_paid: 1900,
    amount_remaining: 0,
    attempt_count: 1,
    status: 'paid',
    parent: { subscription_details: { subscription: session.subscription } },
  })
  expect(invoice.status_transitions.paid_at).toBe(invoice.created)
  expect(invoice.lines.data[0]?.pricing?.price_details?.price).toBe(pro)
  expect(invoice).not.toHaveProperty('payments')
  expect(await read(invoice.hosted_invoice_url ?? '')).toContain('1 × Pro (at 19.00 USD / month)')
  const pdf = await fetch(invoice.invoice_pdf ?? '')
  expect(pdf.headers.get('content-type')).toBe('application/pdf')
  expect(await pdf.text()).toMatch(/^%PDF-1\.4[\S\s]+%%EOF\n$/)
  const { data } = await stripe.invoicePayments.list({
    invoice: invoice.id,
    expand: ['data.payment.payment_intent'],
  })
  const intent = data[0]?.payment.payment_intent
  const charge = await stripe.charges.retrieve(
    typeof intent === 'object' ? (intent.latest_charge as string) : '',
  )
  expect(await read(charge.receipt_url ?? '')).toContain('19.00 USD paid on')
})

test('a failed renewal says when it is tried again, and is paid on its page', async () => {
  await using server = await serveStripeFake()
  const { fake, stripe, customer, checkout, press, read } = await openPages(server)
  await press((await checkout()).url, { outcome: 'pay' })
  fake.setCard(customer, 'fails')
  fake.advance(31 * day)
  const [open] = (await stripe.invoices.list({ customer, status: 'open' })).data
  if (!open) throw new Error('no open invoice')
  expect(open.attempt_count).toBe(1)
  const due = open.next_payment_attempt ?? 0
  expect(due).toBeGreaterThan(fake.store.now)
  fake.advance(due - fake.store.now)
  const tried = await stripe.invoices.retrieve(open.id)
  expect(tried.attempt_count).toBe(2)
  expect(tried.next_payment_attempt).toBe(due + 5 * day)
  const page = open.hosted_invoice_url ?? ''
  expect(await press(page, { outcome: 'decline' })).toContain('declined')
  expect(await read(page)).toContain('Pay')
  await press(page, { outcome: 'pay' })
  expect(await stripe.invoices.retrieve(open.id)).toMatchObject({
    status: 'paid',
    next_payment_attempt: null,
  })
  expect((await stripe.subscriptions.list({ customer })).data[0]?.status).toBe('active')
  await expect(stripe.invoices.pay(open.id)).rejects.toMatchObject({ code: 'invoice_already_paid' })
})

test('invoices are found by customer, status, subscription and time', async () => {
  const { fake, stripe, subscribe } = start()
  const one = await subscribe()
  const other = await subscribe()
  fake.setCard(other.customer, 'fails')
  fake.advance(31 * day)
  const count = async (filter: Parameters<typeof stripe.invoices.list>[0]) =>
    (await stripe.invoices.list(filter)).data.length
  expect(await count({})).toBe(4)
  expect(await count({ customer: one.customer })).toBe(2)
  expect(await count({ subscription: other.id, status: 'open' })).toBe(1)
  expect(await count({ created: { gt: one.start } })).toBe(2)
})
