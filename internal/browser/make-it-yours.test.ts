// Carries out docs/make-it-yours.md, as it stands there, in a copy of the repository.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ending, makeDatabase } from '@outgrow/testing'
import { desktop, launchBrowser } from '@outgrow/testing/browser'
import { Person } from '@outgrow/testing/person'
import { freePorts } from '@outgrow/testing/ports'
import { expect, inject, test } from 'vitest'
import { copyRepository } from './walk/copy-repository.ts'
import { Guide } from './walk/guide.ts'

test('a clone becomes a product of one’s own, and runs on both databases', { timeout: 900_000 }, async () => {
  await using copy = await copyRepository()
  const { folder, env } = copy
  const guide = new Guide(join(import.meta.dirname, '../../docs/make-it-yours.md'), folder, env)
  await guide.follow('Name it')
  await guide.follow('Delete the example')
  await guide.follow('Write your first model')
  await guide.follow('Write its page')

  const browser = await launchBrowser()
  const context = await browser.newContext(desktop)
  const save = async (person: Person, note: string) => {
    await person.page.getByRole('link', { name: 'Notes' }).click()
    await person.page.getByLabel('Note').fill(note)
    await person.page.getByRole('button', { name: 'Save' }).click()
    await person.page.getByRole('listitem').filter({ hasText: note }).waitFor()
  }

  {
    await using dev = await start('dev')
    const page = await (await browser.newContext(desktop)).newPage()
    await page.goto(`${dev.url}/sign-in`)
    await page.getByLabel('E-mail').fill('demo@example.com')
    await page.getByLabel('Password').fill('outgrow-demo')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Notes' }).waitFor()
  }

  await guide.follow('Build and start it')
  let person: Person
  {
    await using product = await start('start')
    person = await Person.arrive(context, product.url)
    await person.signUp('Ada')
    await save(person, 'written on SQLite')
    await seesConsole(product, 'SQLite')
  }

  const target = await makeDatabase(inject('postgresUrl'))
  await guide.follow('Move it to Postgres', { POSTGRES_URL: target.url })
  expect(readFileSync(join(folder, '.env'), 'utf8')).toContain(new URL(target.url).pathname)
  {
    await using product = await start('start')
    await context.clearCookies()
    const { page, email } = person
    await page.goto(`${product.url}/sign-in`)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill('a good password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    await save(person, 'written on Postgres')
    await page.getByText('written on SQLite').waitFor()
    const other = await Person.arrive(await browser.newContext(desktop), product.url)
    await other.signUp('Grace')
    await save(other, 'another account’s')
    expect(await other.page.getByRole('listitem').allInnerTexts()).toEqual(['another account’s'])
    await seesConsole(product, 'Postgres')
  }
  await browser.close()
  await target.drop()
  await guide.follow('Leave out what only Outgrow needs')

  /** What `pnpm dev` and `pnpm start` run, until it is disposed of. */
  async function start(command: 'dev' | 'start'): Promise<Running> {
    const port = await freePorts()
    const args = ['internal/main.ts', command, '--port', String(port)]
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    await new Promise<void>((ready, fail) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line)
        if (line.includes('Ctrl-C stops them all')) ready()
      })
      child.once('exit', () => fail(new Error(`pnpm ${command} ended:\n${lines.join('\n')}`)))
    })
    return {
      url: `http://127.0.0.1:${port}`,
      consoleUrl: async () => {
        const find = () => lines.map((line) => /http:\S+\?token=\S+/.exec(line)?.[0]).find(Boolean)
        await expect.poll(find).toBeDefined()
        return find() as string
      },
      ...ending(child),
    }
  }

  async function seesConsole(product: Running, database: string): Promise<void> {
    const page = await (await browser.newContext(desktop)).newPage()
    await page.goto(await product.consoleUrl())
    await page.locator('.verdict').getByText(database).first().waitFor()
  }
})

interface Running extends AsyncDisposable {
  url: string
  consoleUrl(): Promise<string>
}
