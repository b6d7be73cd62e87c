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
  type Browser,
} from '@outgrow/testing/browser'
import { Person } from '@outgrow/testing/person'
import { freePorts } from '@outgrow/testing/ports'
import { startProduct, startStripe } from '@outgrow/testing/product'

const forms = [
  { name: 'desktop-light', options: { ...desktop, colorScheme: 'light' as const } },
  { name: 'desktop-dark', options: { ...desktop, colorScheme: 'dark' as const } },
  { name: 'phone-light', options: { ...phone, colorScheme: 'light' as const } },
  { name: 'phone-dark', options: { ...phone, colorScheme: 'dark' as const } },
]

export interface Pages {
  /** Name of the screenshot and path of each page that anybody sees. */
  visitor: Record<string, string>
  /** Of each page that somebody who is signed in sees. */
  member: Record<string, string>
  /** What the member does first. */
  prepare?: (member: Person, form: string) => Promise<void>
}

/** A seeded product and a browser, until the callback has returned. */
export async function withSeededProduct(
  postgresUrl: string,
  use: (url: string, browser: Browser) => Promise<void>,
): Promise<void> {
  const database = await makeProductDatabase('sqlite', postgresUrl)
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
  await use(product.url, browser)
  await browser.close()
}

/** What is wrong with the pages on a phone and on a wide screen, light and dark; nothing if all can use them. */
export async function problemsOf(
  { visitor, member, prepare }: Pages,
  url: string,
  browser: Browser,
): Promise<Record<string, string[]>> {
  const problems: Record<string, string[]> = {}
  for (const { name, options } of forms) {
    const context = await browser.newContext(options)
    const complaints = complaintsOf(context)
    const person = await Person.arrive(context, url)
    const { page } = person
    const look = async (pages: Record<string, string>) => {
      for (const [what, path] of Object.entries(pages)) {
        await page.goto(url + path)
        const wrong = await accessibilityProblems(page)
        if (await overflows(page)) wrong.push('wider than the window')
        if (wrong.length > 0) problems[`${name} ${path}`] = wrong
        await shoot(page, `web-${what}-${name}`)
      }
    }
    await look(visitor)
    await page.goto(url)
    await person.signUp('Eva Moreau')
    await prepare?.(person, name)
    await look(member)
    const unexpected = complaints.filter((text) => !text.includes('404'))
    if (unexpected.length > 0) problems[name] = unexpected
    await context.close()
  }
  return problems
}
