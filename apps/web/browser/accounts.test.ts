import { openDatabase } from '@outgrow/db'
import { Person } from '@outgrow/testing/person'
import { describe, expect, test } from 'vitest'
import { serveProduct } from './served.ts'

describe.each(['sqlite', 'postgres'] as const)('accounts on %s', (provider) => {
  const product = serveProduct(provider)

  test('whoever is not signed in is sent to sign in, and then to where they wanted to go', async () => {
    const context = await product.browser.newContext()
    const person = await Person.arrive(context, product.url)
    await person.signUp('Returns')
    const { page } = person
    await page.goto(`${product.url}/billing`)
    const kept = await context.cookies()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Join', exact: true }).first().waitFor()
    // The way back shows nothing of what was there, and the old cookie opens nothing.
    await context.addCookies(kept)
    await page.goto(`${product.url}/billing`)
    await page.waitForURL(/sign-in\?to=%2Fbilling$/)
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByLabel('Password').fill('a good password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${product.url}/billing`)
    await page.getByRole('heading', { name: 'Billing' }).waitFor()
    expect((await page.request.get(`${product.url}/billing`)).headers()['cache-control']).toBe(
      'private, no-store',
    )
  })

  test('a plain member neither sees nor changes what the account pays', async () => {
    const context = await product.browser.newContext()
    const person = await Person.arrive(context, product.url)
    await person.signUp('Member')
    const database = await openDatabase(product.databaseUrl)
    await database.client.membership.updateMany({
      where: { user: { email: person.email } },
      data: { role: 'MEMBER' },
    })
    await database.close()
    const { page } = person
    await page.goto(`${product.url}/billing`)
    await page.getByText('Only an owner or an admin of your account can do that.').waitFor()
    expect(await page.getByRole('link', { name: 'Billing' }).count()).toBe(0)
    for (const path of ['checkout', 'change', 'cancel', 'pause', 'resume', 'take-back', 'code', 'portal']) {
      const answer = await page.request.post(`${product.url}/billing/${path}`, {
        headers: { origin: product.url },
        form: { plan: 'team', code: 'HALF', seats: '2' },
      })
      expect([path, answer.status()]).toEqual([path, 403])
    }
    for (const path of ['receipt/in_1', 'change?plan=team&seats=2', 'success?session=cs_1'])
      expect((await page.request.get(`${product.url}/billing/${path}`)).status()).toBe(403)
  })

  test('passwords cannot be guessed at speed, and a way back never leads elsewhere', async () => {
    const context = await product.browser.newContext()
    const page = await context.newPage()
    const attempt = () =>
      page.request.post(`${product.url}/sign-in`, {
        headers: {
          origin: product.url,
          'x-forwarded-for': `10.0.0.${Math.floor(Math.random() * 250)}`,
          'x-connected-address': '1.2.3.4',
        },
        form: { email: 'nobody@example.com', password: 'wrong password' },
      })
    const statuses: number[] = []
    for (let n = 0; n < 7; n++) statuses.push((await attempt()).status())
    // Others of this address signed in within the minute too: five attempts in all.
    const refusedFrom = statuses.indexOf(429)
    expect(refusedFrom).toBeGreaterThan(0)
    expect(refusedFrom).toBeLessThan(6)
    expect(new Set(statuses.slice(0, refusedFrom))).toEqual(new Set([401]))
    expect(new Set(statuses.slice(refusedFrom))).toEqual(new Set([429]))
    for (const to of ['//evil.example', 'https://evil.example', String.raw`/\evil.example`]) {
      await page.goto(`${product.url}/sign-in?to=${encodeURIComponent(to)}`)
      expect(await page.locator('input[name=to]').getAttribute('value')).toBe('/')
    }
  })

  test('a bad request is told as one, never as a page of its own making', async () => {
    const page = await (await product.browser.newContext()).newPage()
    const get = async (path: string) =>
      (await page.request.get(product.url + path, { maxRedirects: 0 })).status()
    expect(await get('/none')).toBe(404)
    expect(await get('/%00')).toBe(400)
    expect(await get('/billing')).toBe(303)
    expect(await get('/billing?done=constructor')).toBe(303)
    expect(await get('/health')).toBe(200)
    const violations = await page.request.post(`${product.url}/sign-in`, {
      headers: { origin: product.url, 'content-type': 'multipart/form-data' },
      data: 'garbage',
    })
    expect(violations.status()).toBe(400)
    const unsigned = await page.request.post(`${product.url}/webhooks/stripe`, { data: { id: 'evt_1' } })
    expect(unsigned.status()).toBe(400)
  })
})
