import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { makeDatabase, until, type TestDatabase } from '@outgrow/testing'
import {
  accessibilityProblems,
  complaintsOf,
  desktop,
  launchBrowser,
  overflows,
  phone,
  shoot,
  type Browser,
  type Page,
} from '@outgrow/testing/browser'
import { makeShop, startOutgrow, type Started } from '@outgrow/testing/cli'
import { act, comesTo, shows, startConsole, type RunningConsole } from '@outgrow/testing/console'
import type { Report } from '@outgrow/graduate'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

let shop: ReturnType<typeof makeShop>
let target: TestDatabase
let password: string
beforeEach(async () => {
  shop = makeShop(2000, (database) => database.pragma('journal_mode = WAL'))
  target = await makeDatabase(inject('postgresUrl'))
  password = new URL(target.url).password
  return () => target.drop()
})

function openConsole(env: Record<string, string>): Promise<RunningConsole> {
  return startConsole(`file:${shop.file}`, dirname(shop.file), env)
}

/** `outgrow graduate`, which copies and then follows. */
function graduate(): Started<Report> {
  const { file, schema } = shop
  const args = [
    'graduate',
    '--from',
    file,
    '--to',
    target.url,
    '--schema',
    schema,
    '--work-dir',
    dirname(file),
    // Of what it is asked for: with all of this on one machine a pause may be long.
    '--budget-ms',
    '60000',
  ]
  return startOutgrow(args)
}

async function openPage({ url, entrance }: RunningConsole): Promise<Page> {
  const page = await (await browser.newContext({ ...desktop, colorScheme: 'light' })).newPage()
  await page.goto(entrance)
  await page.goto(`${url}/graduation`)
  await page.locator('#live').getByText('live').waitFor()
  return page
}

/** As a process of the application does that has the file open. */
function reports(application: DatabaseSync, name: string, reaches: boolean): void {
  const now = new Date().toISOString()
  application
    .prepare('INSERT INTO _outgrow_process VALUES (?, 4711, ?, ?, ?, ?, ?, ?, 1)')
    .run(name, 'here', name, now, now, Number(reaches), reaches ? null : 'has no POSTGRES_URL')
}

const titles = (page: Page) => page.locator('form.action h3').allTextContents()

/** Waits until the page shows these: its pieces come one after the other. */
const comesToShow = (look: () => Promise<string[]>, expected: string[]) =>
  until(async () => isDeepStrictEqual(await look(), expected))

async function looksRight(page: Page, name: string): Promise<void> {
  const problems: Record<string, string[]> = {}
  for (const [form, { viewport }] of Object.entries({ desktop, phone })) {
    if (viewport) await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const wrong = await accessibilityProblems(page)
      if (await overflows(page)) wrong.push('wider than the window')
      if (wrong.length > 0) problems[`${form} ${colorScheme}`] = wrong
      await shoot(page, `console-live-${name}-${form}-${colorScheme}`)
    }
  }
  if (desktop.viewport) await page.setViewportSize(desktop.viewport)
  await page.emulateMedia({ colorScheme: 'light' })
  expect({ [name]: problems }).toEqual({ [name]: {} })
  expect(password).not.toBe('')
  expect(await page.content()).not.toContain(password)
}

test('a graduation is seen live, rehearsed, switched, taken back, switched again and completed', async () => {
  await using console = await openConsole({ POSTGRES_URL: target.url })
  const page = await openPage(console)
  const complaints = complaintsOf(page.context())
  await shows(page, 'none')
  expect(await titles(page)).toEqual([])

  const follower = graduate()
  await shows(page, 'following')
  const status = page.locator('#graduation-status')
  await status.getByText(/3,000 rows/).waitFor()
  await status.getByText(`process ${follower.child.pid} on`).waitFor()
  await status.getByText('0 changes to apply').waitFor()
  await comesToShow(() => titles(page), ['Rehearse', 'Cut over', 'Cancel'])
  await looksRight(page, 'following')

  // What is typed stays while the status goes on around it.
  const application = new DatabaseSync(shop.file)
  const order = (note: string) =>
    application.exec(`INSERT INTO "Order" (customerId, note, at) VALUES (1, '${note}', 1697658213523)`)
  const typed = page.getByRole('form', { name: 'Cut over' }).getByRole('textbox')
  await typed.fill('cut')
  order('while following')
  reports(application, 'app.js', true)
  const processes = page.getByRole('region', { name: 'Processes of the application' })
  await processes.getByRole('row', { name: 'app.js 4711 here yes' }).waitFor()
  expect(await typed.inputValue()).toBe('cut')

  await act(page, 'Cut over', 'yes')
  await page.getByRole('alert').getByText('was not confirmed').waitFor()
  expect(page.url()).toContain('/graduation/cutover')
  await looksRight(page, 'refused')
  await page.goto(`${console.url}/graduation`)
  await shows(page, 'following')

  await act(page, 'Rehearse', 'rehearse')
  await comesTo(page, 'Rehearse', /Rehearsed: writes were held for [\d.]+ ms/)
  const pauses = page.getByRole('region', { name: 'Pauses' })
  await pauses.getByRole('row', { name: /rehearsal [\d.]+ ms/ }).waitFor()
  await shows(page, 'following')

  await act(page, 'Cut over', 'Cut over')
  await comesTo(page, 'Cut over', /Switched to Postgres: writes were held for [\d.]+ ms/)
  await shows(page, 'switched')
  expect((await follower.ended).code).toBe(0)
  expect(() => order('too late')).toThrow('_outgrow_moved')
  const count = async (note: string) => {
    const [row] = await target.query(`SELECT count(*)::int AS n FROM "Order" WHERE note = $1`, [note])
    return row?.n
  }
  expect(await count('while following')).toBe(1)
  await comesToShow(() => titles(page), ['Complete', 'Roll back'])
  await looksRight(page, 'switched')

  await target.query(`INSERT INTO "Order" ("customerId", note, at) VALUES (1, 'on Postgres', now())`)
  await status.getByText(/^1 change to apply to the file/).waitFor()
  await act(page, 'Roll back', 'roll back')
  await comesTo(page, 'Roll back', /Back on SQLite.*writes were held for [\d.]+ ms/)
  await shows(page, 'following')
  expect(application.prepare(`SELECT count(*) AS n FROM "Order" WHERE note = 'on Postgres'`).get()).toEqual({
    n: 1,
  })
  await status.getByText('no process: run').waitFor()

  // Nobody follows now: the console catches up by itself.
  order('after going back')
  await act(page, 'Cut over', 'cut over')
  await shows(page, 'switched')
  expect(await count('after going back')).toBe(1)
  await comesToShow(
    () => pauses.getByRole('rowheader').allTextContents(),
    ['switch', 'roll back', 'switch', 'rehearsal'],
  )

  await act(page, 'Complete', 'complete')
  await page.getByRole('alert').getByText('type “').waitFor()
  await page.goto(`${console.url}/graduation`)
  application.close()
  const name = shop.file.split('/').at(-1) as string
  await act(page, 'Complete', name)
  await comesTo(page, 'Complete', /Completed: .*there is no way back\. The old file is kept as/)
  await shows(page, 'completed')
  await comesToShow(() => titles(page), [])
  await looksRight(page, 'completed')
  expect(readdirSync(dirname(shop.file)).filter((one) => one.startsWith(`${name}.graduated-`))).toHaveLength(
    1,
  )
  expect(existsSync(`${shop.file}.tombstone`)).toBe(false)
  expect(complaints.filter((text) => !/status of (409|422)/.test(text))).toEqual([])
})

test('an action is possible only from this page, in its state, and only where both ends are known', async () => {
  await using console = await openConsole({ POSTGRES_URL: target.url })
  const page = await openPage(console)
  const post = async (action: string, headers: Record<string, string> = {}) =>
    (
      await page.request.post(`${console.url}/graduation/${action}`, {
        headers,
        form: { confirmation: 'cut over' },
      })
    ).status()
  expect(await post('cutover', { origin: 'https://evil.example' })).toBe(403)
  const origin = { origin: console.url }
  expect(await post('cutover', origin)).toBe(409)
  expect(await post('graduate', origin)).toBe(404)
  const stranger = await browser.newContext()
  const answer = await stranger.request.post(`${console.url}/graduation/cutover`, { headers: origin })
  expect(answer.status()).toBe(401)

  const follower = graduate()
  await shows(page, 'following')
  {
    await using blind = await openConsole({})
    const other = await openPage(blind)
    await other.getByText('Set POSTGRES_URL in this console’s environment').waitFor()
    await shows(other, 'following')
    expect(await titles(other)).toEqual([])
    expect(await accessibilityProblems(other)).toEqual([])
    const refused = await other.request.post(`${blind.url}/graduation/cutover`, {
      headers: { origin: blind.url },
      form: { confirmation: 'cut over' },
    })
    expect([refused.status(), await refused.text()]).toEqual([
      503,
      expect.stringContaining('Set POSTGRES_URL'),
    ])
  }
  await act(page, 'Cancel', 'cancel')
  await comesTo(page, 'Cancel', /Cancelled the graduation .*: the file and the target are as they were/)
  await shows(page, 'none')
  expect((await follower.ended).code).toBe(0)
  expect(await target.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'`)).toEqual([])
})

test('a failure of an action is shown with its code and what to do', async () => {
  await using console = await openConsole({ POSTGRES_URL: target.url })
  const page = await openPage(console)
  const follower = graduate()
  await shows(page, 'following')
  // A process that cannot follow would be left behind.
  const application = new DatabaseSync(shop.file)
  reports(application, 'old.js', false)
  const processes = page.getByRole('region', { name: 'Processes of the application' })
  await processes.getByRole('row', { name: 'old.js 4711 here no has no POSTGRES_URL' }).waitFor()
  await page
    .getByRole('list', { name: 'In the way of the switch' })
    .getByText('old.js (process 4711')
    .waitFor()
  await act(page, 'Cut over', 'cut over')
  await comesTo(page, 'Cut over', /OUTGROW_CUTOVER_BLOCKED[^]*What to do/)
  await shows(page, 'following')
  await looksRight(page, 'failed')
  application.close()
  follower.child.kill('SIGINT')
  expect((await follower.ended).code).toBe(3)
})
