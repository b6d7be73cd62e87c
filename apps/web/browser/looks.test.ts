import { desktop } from '@outgrow/testing/browser'
import type { Person } from '@outgrow/testing/person'
import { expect, inject, test } from 'vitest'
import { problemsOf, withSeededProduct } from './looks.ts'

test('the pages can be used by everybody, on a phone and on a wide screen, light and dark', () =>
  withSeededProduct(inject('postgresUrl'), async (url, browser) => {
    const pages = {
      visitor: { home: '/', pricing: '/pricing', 'sign-up': '/sign-up' },
      member: { billing: '/billing', change: '/billing/change?plan=pro&seats=1', missing: '/nowhere' },
      prepare: (person: Person) => person.subscribe('Choose Team'),
    }
    expect(await problemsOf(pages, url, browser)).toEqual({})

    // By keyboard alone: the first stop skips to the content, and every stop can be seen.
    const page = await (await browser.newContext(desktop)).newPage()
    await page.goto(url)
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip to the content')
    const stops = await page.locator('a, button, input:not([type=hidden]), select').count()
    expect(stops).toBeGreaterThan(3)
    for (let n = 1; n < Math.min(stops, 12); n++) {
      await page.keyboard.press('Tab')
      const outline = await page.evaluate(
        () => getComputedStyle(document.activeElement as Element).outlineStyle,
      )
      expect(outline).not.toBe('none')
    }
  }))
