import { expect, test } from 'vitest'
import { day, serveStripeFake } from '../src/index.ts'
import { openPages } from './pages.ts'

test('a card that asks for authentication pays Checkout after the challenge, and not when it fails', async () => {
  await using server = await serveStripeFake()
  const { stripe, checkout, press, read } = await openPages(server)
  const { id, url } = await checkout()
  const challenge = await press(url, { outcome: 'authenticate' })
  expect(await read(challenge)).toContain('19.00 USD')
  expect(await press(challenge, { answer: 'fail' })).toContain('declined')
  expect((await stripe.checkout.sessions.retrieve(id)).status).toBe('open')
  expect(await press(challenge, { answer: 'complete' })).toBe('http://app/done')
  expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({
    status: 'complete',
    payment_status: 'paid',
  })
})

test('a renewal that asks for authentication waits on the invoice’s page', async () => {
  await using server = await serveStripeFake()
  const { fake, stripe, checkout, press, read } = await openPages(server)
  const { id, url } = await checkout()
  await press(`${url}/challenge`, { answer: 'complete' })
  const { subscription } = await stripe.checkout.sessions.retrieve(id)
  fake.deliveries.take()
  fake.advance(31 * day)
  expect(fake.deliveries.take().map(({ event }) => event.type)).toEqual([
    'invoice.payment_failed',
    'invoice.payment_action_required',
    'customer.subscription.updated',
  ])
  const owed = await stripe.subscriptions.retrieve(subscription as string, {
    expand: ['latest_invoice.payments.data.payment.payment_intent'],
  })
  expect(owed.status).toBe('past_due')
  const { latest_invoice: invoice } = owed
  if (invoice === null || typeof invoice === 'string') throw new Error('not expanded')
  const intent = invoice.payments?.data[0]?.payment.payment_intent
  if (intent === undefined || typeof intent === 'string') throw new Error('not expanded')
  expect(intent).toMatchObject({ status: 'requires_action', next_action: { type: 'redirect_to_url' } })
  await expect(stripe.invoices.pay(invoice.id)).rejects.toMatchObject({
    code: 'invoice_payment_intent_requires_action',
  })
  const page = invoice.hosted_invoice_url ?? ''
  expect(await read(page)).toContain('Pay with a card that asks for authentication')
  const challenge = intent.next_action?.redirect_to_url?.url ?? ''
  expect(await press(challenge, { answer: 'fail' })).toContain('declined')
  expect(await press(challenge, { answer: 'complete' })).not.toContain('declined')
  expect((await stripe.subscriptions.retrieve(owed.id)).status).toBe('active')
  expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
    status: 'succeeded',
    next_action: null,
  })
})

test('a subscription made with the API stays incomplete until the customer has authenticated', async () => {
  await using server = await serveStripeFake()
  const { fake, stripe, customer, pro, press } = await openPages(server)
  fake.setCard(customer, 'authenticates')
  const {
    id,
    status,
    latest_invoice: invoice,
  } = await stripe.subscriptions.create({
    customer,
    items: [{ price: pro }],
    expand: ['latest_invoice.confirmation_secret'],
  })
  expect(status).toBe('incomplete')
  if (invoice === null || typeof invoice === 'string') throw new Error('not expanded')
  expect(invoice.confirmation_secret?.client_secret).toMatch(/^pi_\w+_secret_/)
  const challenge = await press(invoice.hosted_invoice_url ?? '', { outcome: 'authenticate' })
  await press(challenge, { answer: 'complete' })
  expect((await stripe.subscriptions.retrieve(id)).status).toBe('active')
})
