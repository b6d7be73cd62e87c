import { expect, test } from 'vitest'
import { day, serveStripeFake } from '../src/index.ts'
import { openPages } from './pages.ts'

test.each([
  ['cancel', 'canceled'],
  ['pause', 'paused'],
  ['create_invoice', 'past_due'],
] as const)('a trial without a card that should %s is %s at its end', async (behavior, status) => {
  await using server = await serveStripeFake()
  const { fake, stripe, checkout, press } = await openPages(server)
  const session = await checkout({
    payment_method_collection: 'if_required',
    subscription_data: {
      trial_period_days: 7,
      metadata: { from: 'checkout' },
      trial_settings: { end_behavior: { missing_payment_method: behavior } },
    },
  })
  expect(await press(session.url, { outcome: 'no-card' })).toBe('http://app/done')
  const { payment_status: payment, subscription } = await stripe.checkout.sessions.retrieve(session.id)
  expect(payment).toBe('no_payment_required')
  const trial = await stripe.subscriptions.retrieve(subscription as string)
  expect(trial).toMatchObject({ status: 'trialing', metadata: { from: 'checkout' } })
  fake.advance(7 * day)
  expect((await stripe.subscriptions.retrieve(trial.id)).status).toBe(status)
})

test('a trial that asks for a card cannot start without one', async () => {
  await using server = await serveStripeFake()
  const { stripe, checkout, press, read } = await openPages(server)
  const session = await checkout({ subscription_data: { trial_period_days: 7 } })
  expect(await read(session.url)).not.toContain('Start without a card')
  expect(await press(session.url, { outcome: 'no-card' })).toContain('declined')
  expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe('open')
})
