import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '@outgrow/db'
import { isThere, makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import { launchBrowser, shoot, type Browser } from '@outgrow/testing/browser'
import { Person } from '@outgrow/testing/person'
import { freePorts } from '@outgrow/testing/ports'
import { startProduct, startStripe } from '@outgrow/testing/product'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

for (const backend of ['sqlite', 'postgres'] as const)
  test.skipIf(!isThere(backend))(
    `a plan is changed, paused and paid without a script on ${backend}`,
    async () => {
      const database = await makeProductDatabase(backend, inject('postgresUrl'))
      const port = await freePorts()
      await using stripe = await startStripe(port)
      const { fake } = stripe
      await using product = await startProduct({
        databaseUrl: database.url,
        port,
        stripeUrl: stripe.url,
        workDirectory: temporaryFolder(),
      })
      const person = await Person.arrive(await browser.newContext({ javaScriptEnabled: false }), product.url)
      const { page } = person
      const main = page.getByRole('main')
      const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
      const change = async (plan: string, quantity: number) => {
        await page.goto(`${product.url}/billing`)
        await page.getByLabel('Plan').selectOption(plan)
        await page.getByLabel('Quantity').fill(String(quantity))
        await press('See what it costs')
      }
      await person.signUp('Ana Ruiz')
      await person.subscribe('Choose Team')
      await drained()

      // While Stripe is away the page shows what is stored, and says so.
      fake.fail({ status: 500, times: 50 })
      expect(await person.plan()).toMatch(/cannot be shown at the moment[^]*Team[^]*Active/)
      fake.recover()

      // Invoices with their pages; a receipt is looked up when it is asked for.
      expect(await person.plan()).toMatch(
        /Team[^]*Your next invoice: \$49 on \d{4}[^]*Invoices[^]*\$49[^]*paid/,
      )
      const links = page.getByRole('list', { name: 'Invoices' }).getByRole('link')
      for (const link of (await links.all()).slice(0, 2))
        expect(await link.getAttribute('href')).toContain(stripe.url)
      await page.getByRole('link', { name: /Receipt/ }).click()
      await page.waitForURL(`${stripe.url}/receipt/**`)

      // More is paid now, for the amount that was shown.
      await change('team', 3)
      await main.getByText('It changes now, and $98 is charged now.').waitFor()
      await press('Pay $98')
      await page.getByText('Your plan has changed.').waitFor()
      expect(await main.innerText()).toMatch(/Team × 3[^]*next invoice: \$147/)

      // Less waits, and can be taken back.
      await change('pro', 1)
      await main.getByText(/It changes on \d{4}.*Nothing is charged now/).waitFor()
      await press('Confirm')
      expect(await main.innerText()).toMatch(/On \d{4}-\d\d-\d\d your plan becomes Pro\./)
      if (backend === 'sqlite') await shoot(page, 'web-billing-planned')
      await press('Keep the plan as it is')
      expect(await main.innerText()).not.toContain('your plan becomes')

      // A bank that asks its customer: the old plan stays until it has its answer, and the page has the link.
      const [customer] = [...fake.store.customers.keys()] as [string]
      fake.setCard(customer, 'authenticates')
      await change('team', 4)
      await press('Pay $49')
      await page.getByText('Your plan changes when the payment is confirmed.').waitFor()
      expect(await main.innerText()).toMatch(
        /Team × 3[^]*A payment of \$49 is waiting for you[^]*becomes Team × 4/,
      )
      if (backend === 'sqlite') await shoot(page, 'web-billing-payment')
      await page.getByRole('link', { name: /Pay or confirm/ }).click()
      await payOnTheInvoicePage()
      await drained()
      expect(await person.plan()).toContain('Team × 4')
      expect(await main.innerText()).not.toContain('is waiting for you')
      fake.setCard(customer, 'succeeds')

      // A preview of another tab is not what is charged any more.
      await change('team', 5)
      const other = await page.context().newPage()
      await other.goto(page.url())
      await other.getByRole('button', { name: 'Pay $49' }).click()
      await other.getByText('Your plan has changed.').waitFor()
      await press('Pay $49')
      await main.getByText('Look at what it costs again.').waitFor()

      // Codes.
      const { id: coupon } = await made('/v1/coupons', {
        percent_off: '50',
        duration: 'forever',
        name: 'Half',
      })
      await made('/v1/promotion_codes', {
        'promotion[type]': 'coupon',
        'promotion[coupon]': coupon,
        code: 'HALF',
      })
      await page.goto(`${product.url}/billing`)
      await page.getByLabel('Promotion code').fill('NEVER')
      await press('Redeem')
      await main.getByText('This code is unknown').waitFor()
      await page.goto(`${product.url}/billing`)
      await page.getByLabel('Promotion code').fill('HALF')
      await press('Redeem')
      expect(await main.innerText()).toMatch(/next invoice: \$122\.50[^]*Discount: Half\./)

      // A pause, and the end.
      await press('Pause the plan')
      expect(await main.innerText()).toContain('Paused. Nothing is charged until you resume it.')
      await press('Resume the plan')
      expect(await main.innerText()).toContain('Active. It renews on')
      await press('Cancel at the end of the period')
      expect(await main.innerText()).toContain('until then everything stays the same')
      await press('Keep the plan')
      expect(await main.innerText()).toContain('Active. It renews on')

      // Another site’s form does nothing.
      const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
      const foreign = await fetch(`${product.url}/billing/cancel`, {
        method: 'POST',
        headers: {
          cookie,
          origin: 'https://evil.example',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: '',
      })
      expect(foreign.status).toBe(403)
      expect(await person.plan()).toContain('Active. It renews on')
      await database.drop()

      /** On the stand-in’s page of the invoice, and of the bank. */
      async function payOnTheInvoicePage(): Promise<void> {
        await press('Pay with a card that asks for authentication')
        await page.getByText('Your bank asks').waitFor()
        await press('Complete authentication')
        await page.getByText(/: paid/).waitFor()
      }

      async function made(path: string, fields: Record<string, string>): Promise<{ id: string }> {
        const answer = await fetch(stripe.url + path, {
          method: 'POST',
          headers: { authorization: 'Bearer sk_test_browser', 'stripe-version': '2026-10-28.endive' },
          body: new URLSearchParams(fields),
        })
        return (await answer.json()) as { id: string }
      }

      /** Until the worker has worked off everything that was delivered. */
      async function drained(): Promise<void> {
        const open = await openDatabase(database.url)
        try {
          for (;;) {
            await sleep(200)
            const { deliveries, store } = fake
            const arrived = await open.client.webhookEvent.count()
            const waiting = await open.client.webhookEvent.count({
              where: { status: { in: ['PENDING', 'PROCESSING'] } },
            })
            if (waiting === 0 && arrived >= store.events.size && deliveries.peek().length === 0) return
          }
        } finally {
          await open.close()
        }
      }
    },
  )
