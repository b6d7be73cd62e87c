import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import {
  accessibilityProblems,
  complaintsOf,
  desktop,
  launchBrowser,
  overflows,
  phone,
  shoot,
} from '@outgrow/testing/browser'
import { Person } from '@outgrow/testing/person'
import { freePorts, startProduct, startStripe } from '@outgrow/testing/product'
import { expect, inject, test } from 'vitest'

const forms = [
  { name: 'desktop-light', options: { ...desktop, colorScheme: 'light' as const } },
  { name: 'desktop-dark', options: { ...desktop, colorScheme: 'dark' as const } },
  { name: 'phone-light', options: { ...phone, colorScheme: 'light' as const } },
  { name: 'phone-dark', options: { ...phone, colorScheme: 'dark' as const } },
]

test('the pages can be used by everybody, on a phone and on a wide screen, light and dark', async () => {
  const database = await makeProductDatabase('sqlite', inject('postgresUrl'))
  execFileSync(process.execPath, [join(import.meta.dirname, '../src/seed.ts')], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      AUTH_SECRET: 'a secret of the browser tests, long enough',
    },
  })
  const port = await freePorts()
  await using stripe = await startStripe(port)
  await using product = await startProduct({
    databaseUrl: database.url,
    port,
    stripeUrl: stripe.url,
    workDirectory: temporaryFolder(),
  })
  const browser = await launchBrowser()
  const problems: Record<string, string[]> = {}
  for (const { name, options } of forms) {
    const context = await browser.newContext(options)
    const complaints = complaintsOf(context)
    const person = await Person.arrive(context, product.url)
    const { page } = person
    const look = async (what: string, path: string) => {
      await page.goto(product.url + path)
      const wrong = await accessibilityProblems(page)
      if (await overflows(page)) wrong.push('wider than the window')
      if (wrong.length > 0) problems[`${name} ${path}`] = wrong
      await shoot(page, `web-${what}-${name}`)
    }
    await look('directory', '/')
    await look('pricing', '/pricing')
    await look('sign-up', '/sign-up')
    await look('listing', '/p/tiny-ledger')
    await page.goto(product.url)
    await person.signUp('Eva Moreau')
    await person.list(`Product ${name}`)
    await look('mine', '/mine')
    await look('list', '/list')
    await look('billing', '/billing')
    await look('missing', '/nowhere').catch(() => {})
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([])
    await context.close()
  }
  expect(problems).toEqual({})

  // By keyboard alone: the first stop skips to the content, and every stop can be seen.
  const page = await (await browser.newContext(desktop)).newPage()
  await page.goto(product.url)
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip to the content')
  for (let n = 0; n < 12; n++) {
    await page.keyboard.press('Tab')
    const outline = await page.evaluate(
      () => getComputedStyle(document.activeElement as Element).outlineStyle,
    )
    expect(outline).not.toBe('none')
  }
  await browser.close()
})
