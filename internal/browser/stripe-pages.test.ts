import { serveStripeFake } from '@outgrow/stripe-fake'
import {
  accessibilityProblems,
  desktop,
  launchBrowser,
  overflows,
  phone,
  shoot,
  type Page,
} from '@outgrow/testing/browser'
import { Stripe } from 'stripe'
import { expect, test } from 'vitest'

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).click()

test('a person buys with a code, authenticates, pays what is owed, and lets time pass', async () => {
  await using server = await serveStripeFake({ now: Math.floor(Date.now() / 1000) })
  const { fake, url } = server
  const stripe = new Stripe('sk_test_x', {
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    protocol: 'http',
  })
  const price = fake.addPrice({ name: 'Pro', amount: 1900 }).id
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: 'once' })
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'HALF' })
  const { id: customer } = await stripe.customers.create({ email: 'a@example.com' })
  const { url: portal } = await stripe.billingPortal.sessions.create({ customer, return_url: url })
  const session = await stripe.checkout.sessions.create({
    customer,
    mode: 'subscription',
    line_items: [{ price, quantity: 1 }],
    allow_promotion_codes: true,
    success_url: portal,
  })
  const browser = await launchBrowser()
  try {
    const context = await browser.newContext(desktop)
    const page = await context.newPage()
    const isSound = async (name: string) => {
      expect(await accessibilityProblems(page)).toEqual([])
      await page.setViewportSize(phone.viewport ?? { width: 390, height: 844 })
      expect(await overflows(page)).toBe(false)
      await shoot(page, name)
    }
    await page.goto(session.url ?? '')
    await page.getByLabel('Promotion code').fill('half')
    await press(page, 'Apply')
    await page.getByText('Total: 9.50 USD').waitFor()
    await isSound('stripe-checkout')
    await press(page, 'Pay with a card that asks for authentication')
    await press(page, 'Fail authentication')
    await page.getByText('Your card was declined.').waitFor()
    await press(page, 'Pay with a card that asks for authentication')
    await isSound('stripe-challenge')
    await press(page, 'Complete authentication')
    await page.getByRole('heading', { name: 'Pro' }).waitFor() // the portal

    await page.getByRole('link', { name: 'Its clock' }).click()
    await isSound('stripe-clock')
    await press(page, /To the next renewal/)
    const [owed] = (await stripe.invoices.list({ status: 'open' })).data
    expect(owed?.amount_due).toBe(1900)
    await page.goto(owed?.hosted_invoice_url ?? '')
    await isSound('stripe-invoice')
    await press(page, 'Pay with a card that asks for authentication')
    await press(page, 'Complete authentication')
    await page.getByText(/: paid/).waitFor()
    await page.goto(portal)
    await isSound('stripe-portal')
    const [subscription] = (await stripe.subscriptions.list({ customer })).data
    expect(subscription?.status).toBe('active')

    // Another page cannot press its buttons, even in the same browser.
    const now = fake.store.now
    const elsewhere = await context.newPage()
    const form = `<form method="post" action="${url}/clock"><button name="to" value="day">Win</button></form>`
    await elsewhere.goto(`data:text/html,${encodeURIComponent(form)}`)
    await press(elsewhere, 'Win')
    await elsewhere.getByText('own pages may do that').waitFor()
    expect(fake.store.now).toBe(now)
  } finally {
    await browser.close()
  }
})
