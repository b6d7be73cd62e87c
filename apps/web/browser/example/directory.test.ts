import { crc32, deflateSync } from 'node:zlib'
import { day } from '@outgrow/stripe-fake'
import { until } from '@outgrow/testing'
import { complaintsOf } from '@outgrow/testing/browser'
import { Person } from '@outgrow/testing/person'
import { describe, expect, test } from 'vitest'
import { serveProduct } from '../served.ts'
import { list } from './list.ts'

describe.each(['sqlite', 'postgres'] as const)('the directory on %s', (provider) => {
  const product = serveProduct(provider)

  test('a person signs up, lists, is found whatever the case, voted for and commented on', async () => {
    const context = await product.browser.newContext()
    const complaints = complaintsOf(context)
    const owner = await Person.arrive(context, product.url)
    await owner.signUp('Ada Okafor')
    await list(owner, 'Ärger & <b>Söhne</b>', 'Invoices that get themselves 100% paid')
    const { page } = owner
    await page.getByRole('heading', { level: 1, name: 'Ärger & <b>Söhne</b>' }).waitFor()

    for (const text of ['äRGER', 'SÖHNE', '100% PAID']) {
      await page.goto(`${product.url}/?q=${encodeURIComponent(text)}`)
      expect(await page.getByRole('link', { name: 'Ärger & <b>Söhne</b>' }).count()).toBe(1)
    }
    // Wildcards of LIKE are plain characters.
    await page.goto(`${product.url}/?q=${encodeURIComponent('100_ paid')}`)
    await page.getByText('Nothing here yet').waitFor()

    const other = await Person.arrive(await product.browser.newContext(), product.url)
    await other.signUp('Ben Lind')
    await other.page.goto(`${product.url}/?q=rger`)
    await other.page.getByRole('button', { name: /^Vote for Ärger/ }).click()
    await other.page.getByRole('button', { name: /1 votes/ }).waitFor()
    await other.page.getByRole('link', { name: 'Ärger & <b>Söhne</b>' }).click()
    const vote = other.page.getByRole('button', { name: /^Vote for/ })
    expect(await vote.getAttribute('aria-pressed')).toBe('true')
    await vote.click()
    expect(await vote.getAttribute('aria-pressed')).toBe('false')
    await other.page.getByLabel('Your comment').fill('<script>alert(1)</script> nice')
    await other.page.getByRole('button', { name: 'Comment', exact: true }).click()
    await other.page.getByText('<script>alert(1)</script> nice').waitFor()
    expect(complaints).toEqual([])
  })

  test('a comment of the longest size with line breaks is kept; one that is too long comes back', async () => {
    const person = await Person.arrive(await product.browser.newContext(), product.url)
    await person.signUp('Writes')
    await list(person, 'Commented')
    const { page } = person
    const long = `first\n${'x'.repeat(1990)}\nend`
    const send = (body: string) =>
      page.request.post(`${product.url}/p/commented/comments`, {
        headers: { origin: product.url },
        form: { body },
        maxRedirects: 0,
      })
    expect((await send(long.replaceAll('\n', '\r\n'))).status()).toBe(303)
    const refused = await send('y'.repeat(2001))
    expect([refused.status(), (await refused.text()).includes('y'.repeat(2001))]).toEqual([422, true])
    // Two that delete at once: one finds nothing any more, and nobody an error of ours.
    await page.goto(`${product.url}/p/commented`)
    const action = (await page.locator('form[action^="/comments/"]').first().getAttribute('action')) ?? ''
    const deletions = await Promise.all(
      Array.from({ length: 4 }, () =>
        page.request.post(product.url + action, {
          headers: { origin: product.url },
          form: { a: '1' },
          maxRedirects: 0,
        }),
      ),
    )
    expect(deletions.map((answer) => answer.status()).filter((status) => status >= 500)).toEqual([])
  })

  test('what belongs to an account, nobody else changes', async () => {
    const owner = await Person.arrive(await product.browser.newContext(), product.url)
    await owner.signUp('Owner')
    await list(owner, 'Mine alone')
    await owner.page.goto(`${product.url}/mine`)
    const change = await owner.page.getByRole('link', { name: 'Change' }).getAttribute('href')
    const stranger = await Person.arrive(await product.browser.newContext(), product.url)
    await stranger.signUp('Stranger')
    const headers = { origin: product.url }
    for (const path of [`${change}`, `${change}/delete`, `${change}/feature`, `${change}/screenshots`]) {
      const answer = await stranger.page.request.post(product.url + path, {
        headers,
        form: { name: 'Taken' },
      })
      expect([path, answer.status()]).toEqual([path, 404])
    }
    // A form of another site, sent with the owner's own cookies.
    const forged = await owner.page.request.post(`${product.url}${change}/delete`, {
      headers: { origin: 'https://evil.example' },
      form: { a: '1' },
    })
    expect(forged.status()).toBe(403)
    await owner.page.goto(`${product.url}/mine`)
    await owner.page.getByRole('heading', { name: 'Mine alone' }).waitFor()
  })

  test('what a plan allows is enforced on the server', async () => {
    const person = await Person.arrive(await product.browser.newContext(), product.url)
    await person.signUp('Free')
    const { page } = person
    await list(person, 'The one that is free')
    await list(person, 'One too many')
    await page.getByText('You have used all the listings in your plan.').waitFor()
    await page.goto(`${product.url}/mine`)
    expect(await page.getByRole('button', { name: 'Feature' }).isDisabled()).toBe(true)
    const id = (await page.getByRole('link', { name: 'Change' }).getAttribute('href')) ?? ''
    const feature = await page.request.post(`${product.url}${id}/feature`, {
      headers: { origin: product.url },
      form: { a: '1' },
    })
    expect(feature.status()).toBe(403)

    const upload = (name: string, mimeType: string, buffer: Buffer) =>
      page.request.post(`${product.url}${id}/screenshots`, {
        headers: { origin: product.url },
        multipart: { image: { name, mimeType, buffer }, caption: 'The first page' },
        maxRedirects: 0,
      })
    const script = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    expect((await upload('a.png', 'image/png', script)).status()).toBe(400)
    expect(
      (await upload('a.png', 'image/png', Buffer.concat([png(), Buffer.alloc(1_100_000)]))).status(),
    ).toBe(413)
    expect((await upload('a.png', 'image/png', png())).status()).toBe(303)
    expect((await upload('b.png', 'image/png', png())).status()).toBe(403)
    await page.goto(`${product.url}/mine`)
    const image = page.getByAltText('The first page')
    await image.waitFor()
    expect(await image.evaluate((img: HTMLImageElement) => [img.complete, img.naturalWidth])).toEqual([
      true,
      2,
    ])
    const shot = await page.request.get(`${product.url}${(await image.getAttribute('src')) ?? ''}`)
    expect(shot.headers()).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
  })

  test('an address that is wrong is answered as such', async () => {
    const page = await (await product.browser.newContext()).newPage()
    const get = async (path: string) =>
      (await page.request.get(product.url + path, { maxRedirects: 0 })).status()
    expect(await get('/p/none')).toBe(404)
    expect(await get('/p/%00')).toBe(400)
    expect(await get('/?q=%25&page=-1&stage=constructor')).toBe(200)
    expect(await get('/?page=99999999999999999999')).toBe(200)
    expect(await get('/screenshots/1e99')).toBe(404)
    expect(await get('/mine')).toBe(303)
    expect(await get('/mine?done=constructor')).toBe(303)
  })

  test('a plan allows more for as long as it lasts', async () => {
    const person = await Person.arrive(await product.browser.newContext(), product.url)
    await person.signUp('Plans')
    await list(person, 'First of two')
    await person.subscribe('Choose Team')
    await list(person, 'Second of two')
    const { page } = person
    await page.getByRole('heading', { level: 1, name: 'Second of two' }).waitFor()
    await page.goto(`${product.url}/mine`)
    await page.getByRole('button', { name: 'Feature', exact: true }).first().click()
    await page.goto(product.url)
    await page.getByRole('heading', { name: 'Featured' }).waitFor()
    await page.goto(`${product.url}/billing`)
    await page.getByRole('button', { name: 'Manage card and plan' }).click()
    await page.getByRole('button', { name: 'Cancel at the end of the period' }).click()
    await page.getByText(/ends \d{4}/).waitFor()
    product.stripe.fake.advance(31 * day)
    await until(async () => (await person.plan()).includes('It ended on'))
    await page.goto(product.url)
    expect(await page.getByRole('heading', { name: 'Featured' }).count()).toBe(0)
  })
})

/** A red picture of two by two. */
function png(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const check = Buffer.alloc(4)
    check.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, check])
  }
  const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0])
  const rows = Buffer.from([0, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0])
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
