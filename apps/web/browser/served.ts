import { makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import { launchBrowser, type Browser } from '@outgrow/testing/browser'
import { freePorts } from '@outgrow/testing/ports'
import { startProduct, startStripe, type TestStripe } from '@outgrow/testing/product'
import { afterAll, beforeAll, inject } from 'vitest'

/** What the tests of a block work with, once they run. */
export interface Served {
  browser: Browser
  /** Of the web app. */
  url: string
  databaseUrl: string
  stripe: TestStripe
}

/** Runs the product on a database of its own while the tests of a block run. */
export function serveProduct(provider: 'sqlite' | 'postgres'): Served {
  const served = {} as Served
  const running = new AsyncDisposableStack()
  beforeAll(async () => {
    const { url: databaseUrl, drop } = await makeProductDatabase(provider, inject('postgresUrl'))
    running.defer(drop)
    const port = await freePorts()
    const stripe = running.use(await startStripe(port))
    const product = running.use(
      await startProduct({
        databaseUrl,
        port,
        stripeUrl: stripe.url,
        workDirectory: temporaryFolder(),
      }),
    )
    const browser = await launchBrowser()
    running.defer(() => browser.close())
    Object.assign(served, { browser, url: product.url, databaseUrl, stripe })
  })
  afterAll(() => running.disposeAsync())
  return served
}
