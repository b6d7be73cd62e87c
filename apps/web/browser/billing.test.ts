import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '@outgrow/db'
import { day } from '@outgrow/stripe-fake'
import { backends, isThere, makeProductDatabase, temporaryFolder } from '@outgrow/testing'
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

for (const backend of backends)
  test.skipIf(!isThere(backend))(`a subscription’s whole life on ${backend}`, async () => {
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
    const person = await Person.arrive(await browser.newContext(), product.url)
    const { page } = person
    await person.signUp('Chi Sato')

    // A card that is declined leaves Checkout open, and nothing bought.
    await page.goto(`${product.url}/pricing`)
    await page.getByRole('button', { name: 'Choose Team' }).click()
    await page.getByRole('button', { name: /declined/ }).click()
    await page.getByText('Your card was declined.').waitFor()
    await page.getByRole('button', { name: 'Go back without paying' }).click()
    expect(await person.plan()).toContain('Free')

    await person.subscribe('Choose Team')

    // What arrives twice, late and out of order changes nothing.
    const events = [...fake.store.events.values()]
    for (const event of [...events.toReversed(), ...events]) {
      const delivery = fake.deliveries.request(`${product.url}/webhooks/stripe`, {
        body: JSON.stringify(event),
      })
      expect((await fetch(delivery)).status).toBe(200)
    }
    await drained(database.url)
    expect(await person.plan()).toContain('Active. It renews on')

    // The renewal fails: a banner on every page, and the plan goes on meanwhile.
    const [customer] = [...fake.store.customers.keys()] as [string]
    fake.setCard(customer, 'fails')
    fake.advance(31 * day)
    await drained(database.url)
    await page.goto(product.url)
    await page.getByRole('alert').getByText('Your last payment did not go through.').waitFor()
    if (backend === 'sqlite') await shoot(page, 'web-dunning')
    await page.getByRole('button', { name: 'Update the card' }).click()
    await page.getByRole('button', { name: 'Use a card that works' }).click()
    await page.getByText('active').waitFor()
    await drained(database.url)
    await page.goto(product.url)
    expect(await page.getByRole('alert').count()).toBe(0)

    // Cancelled in the portal: it stays until the end of what is paid, then it is gone.
    await page.goto(`${product.url}/billing`)
    await page.getByRole('button', { name: 'Manage card and plan' }).click()
    await page.getByRole('button', { name: 'Cancel at the end of the period' }).click()
    await page.getByText(/ends \d{4}/).waitFor()
    await drained(database.url)
    expect(await person.plan()).toContain('until then everything stays')
    fake.advance(31 * day)
    await drained(database.url)
    expect(await person.plan()).toContain('It ended on')

    const metrics = await (await fetch(`${product.workerUrl}/metrics`)).text()
    expect(metrics).toMatch(/outgrow_worker_outcomes_total\{outcome="applied"\} [1-9]/)
    expect(metrics).toContain('outgrow_inbox_events{status="DEAD"} 0')
    expect(product.output()).toContain('Your plan is active')
    await database.drop()

    /** Until the worker has worked off everything that was delivered. */
    async function drained(url: string): Promise<void> {
      const open = await openDatabase(url)
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
  })
