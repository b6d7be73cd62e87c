import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { makeDatabase, NarrowWay, until } from '@outgrow/testing'
import { desktop, launchBrowser, shoot } from '@outgrow/testing/browser'
import { startConsole } from '@outgrow/testing/console'
import { expect, inject, test } from 'vitest'
import { makeShop } from '@outgrow/testing/cli'

const root = join(import.meta.dirname, '../..')

test('the console follows a move while it runs, and shows what it found and proved', async () => {
  const { file, schema } = makeShop(400_000, (database) =>
    database.exec('UPDATE "Order" SET note = note || char(0) WHERE id = 7'),
  )
  const folder = dirname(file)
  const target = await makeDatabase(inject('postgresUrl'))
  // The rows go over a way that is narrow until the page has shown that the move is under way.
  await using way = await NarrowWay.open(Number(new URL(target.url).port), 2e6)
  const to = new URL(target.url)
  to.port = String(way.port)
  await using console = await startConsole(`file:${file}`, folder)
  const browser = await launchBrowser()
  const page = await (await browser.newContext(desktop)).newPage()
  await page.goto(console.entrance)
  await page.goto(`${console.url}/graduation`)
  await page.getByText('Not run yet').waitFor()
  await page.locator('#live').getByText('live').waitFor()

  const outgrow = (...args: string[]) =>
    spawn(
      process.execPath,
      [
        join(root, 'scripts/bin/outgrow.mjs'),
        ...args,
        '--from',
        file,
        '--schema',
        schema,
        '--work-dir',
        folder,
      ],
      { stdio: 'ignore' },
    )
  // Everything below comes to the open page by itself.
  const inspected = once(outgrow('inspect'), 'exit')
  await page.getByText('contains a NUL byte').waitFor()
  await inspected
  const moved = once(outgrow('migrate', '--to', to.href, '--fix', 'text-strip-nul'), 'exit')
  await page.getByRole('heading', { name: /migrate is running: step 6 of 11/ }).waitFor()
  await page.getByText(/[1-9][\d,]* of about 40\d,\d{3} rows, [\d,]+ per second/).waitFor()
  await shoot(page, 'console-running')
  expect(Number(await page.getByRole('progressbar').getAttribute('value'))).toBeGreaterThan(0)
  way.widen()
  const [code] = (await moved) as [number]
  expect(code).toBe(0)
  const verification = page.getByRole('region', { name: 'Table of the verification' })
  await verification.getByRole('row', { name: /Order 400,000 400,000 0 equal/ }).waitFor()
  await until(async () => (await page.getByText(/is running/).count()) === 0)
  // A database of another schema than the product's has no inbox to show.
  await page.goto(`${console.url}/webhooks`)
  await page.getByText('does not have Outgrow’s billing tables').waitFor()

  await browser.close()
  await target.drop()
})
