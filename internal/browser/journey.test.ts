import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openDatabase } from '@outgrow/db'
import { day } from '@outgrow/stripe-fake'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { accessibilityProblems, desktop, launchBrowser, shoot } from '@outgrow/testing/browser'
import { Person } from '@outgrow/testing/person'
import { freePorts } from '@outgrow/testing/ports'
import { startProduct, startStripe } from '@outgrow/testing/product'
import { expect, inject, test } from 'vitest'
import { list } from '../../apps/web/browser/example/list.ts' // example

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'scripts/bin/outgrow.mjs')
const run = promisify(execFile)

test('the whole journey: traffic on SQLite, one command, and the same person goes on, on Postgres', async () => {
  const folder = temporaryFolder()
  const file = join(folder, 'app.db')
  const schema = join(root, 'prisma/schema')
  const target = await makeDatabase(inject('postgresUrl'))
  const outgrow = (...args: string[]) =>
    run(process.execPath, [bin, ...args], {
      cwd: root,
      env: {
        ...process.env,
        AUTH_SECRET: 'a secret of the browser tests, long enough',
        DATABASE_URL: `file:${file}`,
      },
      maxBuffer: 64e6,
    })
  await outgrow('schema', 'deploy', '--to', `file:${file}`)
  await run(process.execPath, [join(root, 'apps/web/src/seed.ts')], {
    env: {
      ...process.env,
      AUTH_SECRET: 'a secret of the browser tests, long enough',
      DATABASE_URL: `file:${file}`,
    },
  })
  const env = join(folder, '.env')
  writeFileSync(env, `DATABASE_URL="file:${file}"\n`)

  const port = await freePorts()
  await using stripe = await startStripe(port)
  const { fake } = stripe
  const browser = await launchBrowser()
  const context = await browser.newContext({ ...desktop, colorScheme: 'light' })
  const start = (databaseUrl: string) =>
    startProduct({ databaseUrl, port, stripeUrl: stripe.url, workDirectory: folder })
  const drained = async (url: string) => {
    const database = await openDatabase(url)
    for (;;) {
      await sleep(200)
      const waiting = await database.client.webhookEvent.count({
        where: { status: { in: ['PENDING', 'PROCESSING'] } },
      })
      const arrived = await database.client.webhookEvent.count()
      if (waiting === 0 && fake.deliveries.peek().length === 0 && arrived >= fake.store.events.size) break
    }
    await database.close()
  }

  let person: Person
  {
    await using product = await start(`file:${file}`)
    person = await Person.arrive(context, product.url)
    await person.signUp('Dag Ruiz')
    await person.subscribe('Try Pro')
    await list(person, 'Graduating', 'Started on SQLite') // example
    expect(await person.plan()).toContain('On trial until')
    const traffic = spawn(process.execPath, [join(import.meta.dirname, 'traffic.ts'), product.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [answers] = (await once(traffic.stdout, 'data')) as [Buffer]
    expect(String(answers)).toMatch(/^\d+ answers, 0 wrong/)
    await drained(`file:${file}`)
  }

  const before = await openDatabase(`file:${file}`)
  const rows = await before.client.webhookEvent.count()
  await before.close()
  await outgrow('inspect', '--from', file, '--schema', schema, '--work-dir', folder)
  const moved = await outgrow(
    'migrate',
    '--from',
    file,
    '--to',
    target.url,
    '--schema',
    schema,
    '--work-dir',
    folder,
    '--switch',
    env,
  )
  expect(moved.stdout).toContain('Every digest is equal.')
  expect(readFileSync(env, 'utf8')).toContain(new URL(target.url).pathname)

  {
    await using product = await start(target.url)
    const { page } = person
    // The very same session: nobody signs in again.
    await page.goto(product.url)
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    expect(await person.plan()).toContain('On trial until')
    await page.goto(`${product.url}/?q=graduating`)
    await page.getByRole('link', { name: 'Graduating' }).waitFor() // example
    // The subscription goes on: the trial ends, is paid for, and is cancelled on Postgres.
    fake.advance(15 * day)
    await drained(target.url)
    expect(await person.plan()).toContain('Active. It renews on')
    await page.getByRole('button', { name: 'Manage card and plan' }).click()
    await page.getByRole('button', { name: 'Cancel at the end of the period' }).click()
    await page.getByText(/ends \d{4}/).waitFor()
    await drained(target.url)
    expect(await person.plan()).toContain('until then everything stays')
    const after = await openDatabase(target.url)
    expect(await after.client.webhookEvent.count()).toBeGreaterThan(rows)

    const owner = await context.newPage()
    await owner.goto(product.consoleUrl)
    await owner.locator('.verdict').getByText('Postgres').first().waitFor()
    await owner.goto(`${new URL(product.consoleUrl).origin}/graduation`)
    const verification = owner.getByRole('region', { name: 'Table of the verification' })
    expect(await verification.getByText('equal').count()).toBe(await verification.locator('tbody tr').count())
    await owner.getByText('no problems found').waitFor()
    expect(await accessibilityProblems(owner)).toEqual([])
    await shoot(owner, 'console-graduation')

    // A dead letter, replayed by the owner, mends the customer.
    fake.fail({ status: 500, times: 1_000_000 })
    const [subscription] = [...fake.store.subscriptions.keys()] as [string]
    fake.advance(31 * day) // the cancel falls due
    // All that is to be given up is: another event of his would mend him, too.
    const isDead = { where: { status: 'DEAD' as const } }
    const { webhookEvent } = after.client
    const isGivenUp = async () =>
      (await webhookEvent.count(isDead)) > 0 &&
      (await webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } })) === 0 &&
      (await webhookEvent.count()) >= fake.store.events.size
    while (!(await isGivenUp())) {
      await after.client.webhookEvent.updateMany({
        where: { status: 'PENDING', attempts: { gt: 0, lt: 99 } },
        data: { attempts: 99, nextAttemptAt: new Date() },
      })
      await sleep(100)
    }
    fake.recover()
    expect(await person.plan()).toContain('until then everything stays') // the current state has not arrived yet
    await owner.goto(`${new URL(product.consoleUrl).origin}/webhooks?status=DEAD`)
    await owner.getByRole('row').nth(1).getByRole('link').click()
    await owner.getByText('abandoned', { exact: true }).waitFor()
    await shoot(owner, 'console-dead-letter')
    await owner.getByRole('button', { name: 'Replay' }).click()
    await owner.getByText('Put back into the queue.').waitFor()
    while (
      (await after.client.subscription.count({
        where: { stripeSubscriptionId: subscription, status: 'CANCELED' },
      })) === 0
    )
      await sleep(100)
    expect(await person.plan()).toContain('It ended on')
    await owner.getByRole('link', { name: /^cus_/ }).click()
    await owner.locator('.timeline').getByText('canceled').waitFor()
    await shoot(owner, 'console-subscription')
    await after.close()
  }
  await browser.close()
  await target.drop()
})
