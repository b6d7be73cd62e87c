import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { redactUrl } from '@outgrow/kit'
import { makeDatabase, makeProductDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { wrapped } from '../src/output/terminal.ts'
import { makeShop, outgrow } from '@outgrow/testing/cli'

test.each([
  ['postgresql://u:secret@h/d', 'postgresql://u:***@h/d'],
  [
    'postgresql://u:se%40cret@h/d?sslmode=require&password=secret',
    'postgresql://u:***@h/d?sslmode=require&password=***',
  ],
  ['postgresql://u:sec ret@h:port/d', 'postgresql://***'],
  ['postgresql://u:s/e@c:ret@h/d', 'postgresql://***'],
  ['file:./app.db', 'file:./app.db'],
])('%s is printed as %s', (given, shown) => {
  expect(redactUrl(given)).toBe(shown)
})

test('lines break between words and keep their indent, at 80 and at 44 columns', () => {
  const text =
    '    fix    correct the source, name the rules that apply with --fix, or quarantine the rows with --on-bad-value quarantine'
  for (const columns of [80, 44]) {
    const lines = wrapped(text, columns).split('\n')
    expect(lines.length).toBeGreaterThan(1)
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(columns)
      expect(line.startsWith('    ')).toBe(true)
    }
    expect(lines.map((line) => line.trim()).join(' ')).toBe(text.trim())
  }
})

test('each move without a target gets a database of its own, which can be listed and dropped', async () => {
  const { file, schema } = makeShop(50)
  const folder = join(temporaryFolder(), '.outgrow')
  const at = ['--work-dir', folder]
  const missing = await outgrow(['migrate', '--from', `${file}.nowhere`, '--schema', schema, ...at])
  expect([missing.code, missing.document.error?.code, existsSync(join(folder, 'postgres'))]).toEqual([
    2,
    'OUTGROW_SOURCE_NOT_FOUND',
    false,
  ])
  const move = () => outgrow(['migrate', '--from', file, '--schema', schema, ...at])
  expect([(await move()).code, (await move()).code]).toEqual([0, 0])
  expect((await outgrow(['verify', '--from', file, '--schema', schema, ...at])).code).toBe(0)
  const list = () =>
    outgrow<{ databases: { name: string; source: string; status: string }[] }>(['postgres', 'list', ...at])
  const { databases } = (await list()).document
  expect(databases).toMatchObject([
    { source: file, status: 'published' },
    { source: file, status: 'published' },
  ])
  expect((await outgrow(['postgres', 'drop', databases[0]?.name ?? '', ...at])).code).toBe(0)
  expect((await list()).document.databases.map(({ name }) => name)).toEqual([databases[1]?.name])
  expect((await outgrow(['postgres', 'drop', 'postgres', ...at])).code).toBe(2)
  // What is in the work folder is for its owner alone.
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const run of readdirSync(join(folder, 'runs')))
    expect(statSync(join(folder, 'runs', run)).mode & 0o777).toBe(0o600)
  await outgrow(['postgres', 'stop', ...at])
})

test('a file that nobody wrote for Prisma gets no history of Prisma unless it is asked for', async () => {
  const { file } = makeShop(20)
  const folder = temporaryFolder()
  for (const more of [[], ['--baseline']]) {
    const target = await makeDatabase(inject('postgresUrl'))
    const ran = await outgrow([
      'migrate',
      '--from',
      file,
      '--schema',
      'introspect',
      '--to',
      target.url,
      '--work-dir',
      folder,
      ...more,
    ])
    expect(ran.code).toBe(0)
    const [known] = await target.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS has")
    expect(known?.has).toBe(more.length > 0)
    await target.drop()
  }
})

test('mistakes of the user’s own are no bugs', async () => {
  const folder = temporaryFolder()
  const missing = await outgrow(['billing', 'adopt-inbox', '--database', `file:${folder}/none.db`])
  expect([missing.code, missing.document.error?.code]).toEqual([2, 'OUTGROW_SOURCE_NOT_FOUND'])
  const made = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const env = { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_API_BASE: 'http://127.0.0.1:1' }
  const away = await outgrow(['billing', 'reconcile', '--database', made.url], env)
  expect([away.code, away.document.error?.code]).toEqual([2, 'OUTGROW_STRIPE_FAILED'])
  const { file } = makeShop(5)
  writeFileSync(join(folder, 'taken'), '')
  const taken = await outgrow(['export', '--from', file, '--dir', join(folder, 'taken')])
  expect([taken.code, taken.document.error?.code]).toEqual([2, 'OUTGROW_SYSTEM'])
})
