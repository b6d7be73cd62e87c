import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ending, makeDatabase, temporaryFolder, until } from '@outgrow/testing'
import { launchBrowser } from '@outgrow/testing/browser'
import { freePorts } from '@outgrow/testing/ports'
import { expect, inject, test } from 'vitest'

const bin = join(import.meta.dirname, '../main.ts')

test.each(['sqlite', 'postgres'] as const)(
  'one command runs everything on %s, and Ctrl-C ends it all',
  async (provider) => {
    const target = provider === 'postgres' ? await makeDatabase(inject('postgresUrl')) : undefined
    const port = await freePorts()
    const folder = temporaryFolder()
    // What a switch leaves behind: dev must not go there, nor mail anybody.
    writeFileSync(
      join(folder, '.env'),
      'DATABASE_URL="postgresql://app:secret@db.example.com/app"\nSMTP_URL=smtp://mail.example.com\n',
    )
    const child = spawn(
      process.execPath,
      [
        bin,
        'dev',
        '--port',
        String(port),
        '--work-dir',
        join(folder, 'work'),
        ...(target ? ['--database', target.url] : []),
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, DATABASE_URL: '' } },
    )
    await using _ = ending(child)
    let output = ''
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    while (!output.includes('Ctrl-C stops them all')) {
      expect([child.exitCode, output]).toEqual([null, expect.any(String)])
      await sleep(100)
    }
    const secret = new URL(target?.url ?? 'postgresql://u:no-password@h/d').password
    expect(output).not.toContain(secret)

    const browser = await launchBrowser()
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/sign-in`)
    await page.getByLabel('E-mail').fill('demo@example.com')
    await page.getByLabel('Password').fill('outgrow-demo')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    const url = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(output)?.[0] ?? ''
    await page.goto(url)
    await page.locator('.verdict').waitFor()
    await browser.close()

    // As a file that is saved: the app that it belongs to starts again, the others go on.
    const now = new Date()
    utimesSync(join(import.meta.dirname, '../../apps/web/src/main.ts'), now, now)
    while (!output.includes('web     restarts')) await sleep(50)
    await until(() =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        (answer) => answer.ok,
        () => false,
      ),
    )
    expect(output).not.toContain('worker  restarts')

    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number]
    expect([code, output.trimEnd().split('\n').at(-1)]).toEqual([0, 'Stopped.'])
    for (const one of [port, port + 1, port + 2, port + 3])
      await expect(fetch(`http://127.0.0.1:${one}/`)).rejects.toThrow('fetch failed')
    await target?.drop()
  },
)

test('a port that is taken is told before anything begins', async () => {
  const port = await freePorts()
  const { createServer } = await import('node:http')
  const taken = createServer().listen(port + 1, '127.0.0.1')
  await once(taken, 'listening')
  const child = spawn(
    process.execPath,
    [bin, 'dev', '--port', String(port), '--work-dir', temporaryFolder()],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DATABASE_URL: '' },
    },
  )
  await using _ = ending(child)
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(child, 'exit')) as [number]
  expect(code).toBe(2)
  expect(output).toContain('OUTGROW_PORT_IN_USE')
  taken.close()
})
